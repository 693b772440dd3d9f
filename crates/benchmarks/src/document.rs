//! The page with the results: text by hand around tables that are replaced.

use crate::Result;

/// Replaces what stands between `<!-- results: NAME -->` and the next `<!-- end -->`.
///
/// # Errors
///
/// A page without such a place: a result is not lost in silence.
pub fn replace(page: &str, name: &str, results: &str) -> Result<String> {
    const BEGIN: &str = "<!-- results: ";
    const END: &str = "<!-- end -->";
    let begin = format!("{BEGIN}{name} -->");
    let (head, rest) = page.split_once(&begin).ok_or_else(|| format!("the page has no `{begin}`"))?;
    let (place, tail) = rest.split_once(END).ok_or_else(|| format!("no `{END}` follows `{begin}`"))?;
    if place.contains(BEGIN) {
        return Err(format!("no `{END}` follows `{begin}` before the next place").into());
    }
    Ok(format!("{head}{begin}\n\n{}\n\n{END}{tail}", results.trim()))
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn one_place_is_replaced_and_the_rest_stays() {
        let page = "a\n<!-- results: x -->\nold\n<!-- end -->\nb\n<!-- results: y -->\nkept\n<!-- end -->\n";
        let replaced = replace(page, "x", "new\n").unwrap();
        assert_eq!(
            replaced,
            "a\n<!-- results: x -->\n\nnew\n\n<!-- end -->\nb\n<!-- results: y -->\nkept\n<!-- end -->\n"
        );
        assert_eq!(replace(&replaced, "x", "new\n").unwrap(), replaced);
    }

    #[test]
    fn a_page_without_the_place_is_refused() {
        assert!(replace("a", "x", "new").is_err());
        assert!(replace("<!-- results: x -->", "x", "new").is_err());
        assert!(replace("<!-- results: x -->\n<!-- results: y -->\n<!-- end -->", "x", "new").is_err());
    }
}
