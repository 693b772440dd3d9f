//! Annotations of GitHub Actions:
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.

use super::finding::Finding;

/// One command a line.
pub(super) fn annotations(findings: &[Finding]) -> String {
    findings.iter().map(|finding| annotation(finding) + "\n").collect()
}

fn annotation(finding: &Finding) -> String {
    let mut properties = Vec::new();
    // A directory is no place for an annotation.
    if let (Some(line), Some(column)) = (finding.line, finding.column) {
        properties.push(format!("file={},line={line},col={column}", property(&finding.file)));
    }
    properties.push(format!("title={}", property(finding.rule)));
    let text = if finding.line.is_some() { finding.text() } else { format!("{}: {}", finding.file, finding.text()) };
    format!("::{} {}::{}", finding.severity, properties.join(","), data(&text))
}

/// The part behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value before it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn what_ends_a_value_is_escaped() {
        assert_eq!(data("100%, a: b\r\nc"), "100%25, a: b%0D%0Ac");
        assert_eq!(property("a, b: 100%.sql"), "a%2C b%3A 100%25.sql");
    }
}
