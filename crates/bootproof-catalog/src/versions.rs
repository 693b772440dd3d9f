//! The versions that there are, told to somebody who named another.

/// So many are listed; of more, how many there are and which are next to the one that was named.
const LISTED: usize = 8;

/// `there are 1, 2, 8`, in ascending order; of many, `there are 40 from 1 to 90, next to it 6 and 8`.
#[must_use]
pub fn there_are(versions: &[i64], wanted: i64) -> String {
    match versions {
        [] => "there are none".to_owned(),
        [one] => format!("there is {one}"),
        [first, .., last] if versions.len() > LISTED => {
            let before = versions.iter().rev().find(|version| **version < wanted);
            let after = versions.iter().find(|version| **version > wanted);
            let next: Vec<String> = before.into_iter().chain(after).map(i64::to_string).collect();
            format!("there are {} from {first} to {last}, next to it {}", versions.len(), next.join(" and "))
        }
        few => format!("there are {}", few.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::there_are;

    #[test]
    fn few_are_listed_and_of_many_the_nearest() {
        assert_eq!(there_are(&[], 7), "there are none");
        assert_eq!(there_are(&[3], 7), "there is 3");
        assert_eq!(there_are(&[1, 2, 8], 7), "there are 1, 2, 8");
        let many: Vec<i64> = (1..=40).map(|number| number * 10).collect();
        assert_eq!(there_are(&many, 77), "there are 40 from 10 to 400, next to it 70 and 80");
        assert_eq!(there_are(&many, 0), "there are 40 from 10 to 400, next to it 10");
        assert_eq!(there_are(&many, 401), "there are 40 from 10 to 400, next to it 400");
    }
}
