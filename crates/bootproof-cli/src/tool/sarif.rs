//! SARIF 2.1.0: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::fmt::Write as _;

use bootproof_build::RULES;
use serde_json::{Value, json};

use super::finding::Finding;

/// One run with its results.
pub(super) fn log(findings: &[Finding]) -> Value {
    let mut rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "bootproof",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|name| rule(name)).collect::<Vec<_>>(),
            } },
            // A column is a character here, not a unit of UTF-16.
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(|finding| result(finding, &rules)).collect::<Vec<_>>(),
        }],
    })
}

/// A rule, and what it is about.
fn rule(name: &str) -> Value {
    match RULES.iter().find(|rule| rule.name == name) {
        Some(rule) => json!({
            "id": name,
            "shortDescription": { "text": rule.summary },
            "defaultConfiguration": { "level": rule.severity.name() },
        }),
        None => json!({ "id": name }),
    }
}

fn result(finding: &Finding, rules: &[&str]) -> Value {
    let mut location = json!({ "artifactLocation": { "uri": uri(&finding.file) } });
    if let (Some(line), Some(column), Some(location)) = (finding.line, finding.column, location.as_object_mut()) {
        location.insert("region".to_owned(), json!({ "startLine": line, "startColumn": column }));
    }
    json!({
        "ruleId": finding.rule,
        "ruleIndex": rules.iter().position(|rule| *rule == finding.rule),
        "level": finding.severity,
        "message": { "text": finding.text() },
        "locations": [{ "physicalLocation": location }],
    })
}

/// A path as a reference, relative to where the command was called unless it is absolute.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_becomes_a_reference() {
        assert_eq!(uri("db/1_größe & mehr.sql"), "db/1_gr%C3%B6%C3%9Fe%20%26%20mehr.sql");
        assert_eq!(uri("/srv/a.sql"), "file:///srv/a.sql");
    }
}
