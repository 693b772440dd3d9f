//! Which files are meant: a name with `*` and `?`, or several of them with `/` between.

use std::path::PathBuf;

/// A pattern for paths relative to the directory of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<String>);

impl Pattern {
    /// `*.db`, or `*/data.db`: as deep as it has names. Empty names, as between two slashes, mean nothing.
    pub(super) fn new(pattern: &str) -> Self {
        Self(pattern.split('/').filter(|name| !name.is_empty() && *name != ".").map(str::to_owned).collect())
    }

    /// What the first name has to be like, and what follows it.
    pub(super) fn split(&self) -> Option<(&str, Option<Self>)> {
        let (first, rest) = self.0.split_first()?;
        Some((first, (!rest.is_empty()).then(|| Self(rest.to_vec()))))
    }

    /// As it is written.
    pub(super) fn as_path(&self) -> PathBuf {
        self.0.iter().collect()
    }
}

/// Whether a name is like a pattern. `*` is any number of characters, `?` is one; a name that begins with a dot is like a
/// pattern that does.
pub(super) fn is_like(name: &str, pattern: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (name, pattern): (Vec<char>, Vec<char>) = (name.chars().collect(), pattern.chars().collect());
    let (mut at, mut in_pattern) = (0, 0);
    // Where to go on if the last star has to stand for one character more.
    let mut star = None;
    while at < name.len() {
        match pattern.get(in_pattern) {
            Some('*') => {
                star = Some((in_pattern, at));
                in_pattern += 1;
            }
            Some(wanted) if *wanted == '?' || name.get(at) == Some(wanted) => {
                at += 1;
                in_pattern += 1;
            }
            _ => match star {
                Some((star_at, stood_for)) => {
                    star = Some((star_at, stood_for + 1));
                    (in_pattern, at) = (star_at + 1, stood_for + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(in_pattern).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, like, unlike) in [
            ("*.db", ["a.db", "a.b.db", "é.db"], ["a.db-wal", ".a.db", "a.dbx"]),
            ("t?.db", ["t1.db", "té.db", "t?.db"], ["t.db", "t12.db", "x1.db"]),
            ("*", ["a", "a.db", "a-wal"], ["", ".a", "."]),
            (".*", [".a", ".db", "."], ["a", "", "x.a"]),
            ("a*b*c", ["abc", "axbxc", "abbcc"], ["ab", "acb", "abcd"]),
        ] {
            for name in like {
                assert!(is_like(name, pattern), "{name} is like {pattern}");
            }
            for name in unlike {
                assert_eq!(is_like(name, pattern), name.is_empty() && pattern == "*", "{name} is unlike {pattern}");
            }
        }
    }

    #[test]
    fn a_pattern_against_it_does_not_take_for_ever() {
        assert!(!is_like(&"a".repeat(2_000), &"*a".repeat(500).replace("*a*a", "*a*b")));
    }

    #[test]
    fn as_deep_as_it_has_names() {
        let (first, rest) = Pattern::new("./*//data.db").split().map(|(first, rest)| (first.to_owned(), rest)).unwrap();
        assert_eq!((first.as_str(), rest), ("*", Some(Pattern::new("data.db"))));
        assert_eq!(Pattern::new("/").split(), None);
    }
}
