//! Where a statement ends in a text.

/// How much of a text a statement is, and where its first parameter stands.
///
/// SQLite shows the statement's own text with every parameter that is not bound replaced by `NULL`, and changes nothing
/// else; so the two texts are walked side by side, and where they part there is a parameter.
pub(super) fn consumed(text: &str, expanded: &str) -> (usize, Option<usize>) {
    let mut parameter = None;
    let mut position = 0;
    let mut rest = expanded;
    while let Some(expected) = rest.chars().next() {
        let Some(found) = text.get(position..).and_then(|text| text.chars().next()) else { break };
        if found == expected {
            position += found.len_utf8();
            rest = rest.get(found.len_utf8()..).unwrap_or_default();
        } else {
            parameter.get_or_insert(position);
            let name = text.get(position + found.len_utf8()..).unwrap_or_default();
            position += found.len_utf8() + name.find(|c| !is_identifier(c)).unwrap_or(name.len());
            rest = rest.strip_prefix("NULL").unwrap_or_default();
        }
    }
    (position, parameter)
}

/// SQLite's own rule for the characters of a name.
fn is_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::consumed;

    #[test]
    fn parameters_are_found_where_the_texts_part() {
        assert_eq!(consumed("SELECT 1; SELECT 2", "SELECT 1;"), (9, None));
        assert_eq!(consumed("SELECT ':a', :größe+?2; x", "SELECT ':a', NULL+NULL;"), (25, Some(13)));
        assert_eq!(consumed("SELECT NULL, :NULL", "SELECT NULL, NULL"), (18, Some(13)));
    }
}
