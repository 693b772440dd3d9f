//! What the documentation quotes from these programs is what they are.
//!
//! In front of every block of code stands the file that it is quoted from, `<!-- guides/axum/src/main.rs -->`. A console says what a
//! program printed, and stands alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

/// One block, and where it says it comes from.
#[derive(Debug)]
struct Quote<'a> {
    line: usize,
    file: Option<&'a str>,
    code: String,
}

fn quotes(page: &str) -> Vec<Quote<'_>> {
    let mut quotes: Vec<Quote<'_>> = Vec::new();
    let (mut file, mut inside) = (None, None);
    for (number, line) in page.lines().enumerate() {
        match (inside, line.strip_prefix("```")) {
            (None, Some("console")) => inside = Some(false),
            (None, Some(_)) => {
                quotes.push(Quote { line: number + 1, file, code: String::new() });
                inside = Some(true);
            }
            (Some(_), Some(_)) => inside = None,
            (Some(true), None) => {
                if let Some(quote) = quotes.last_mut() {
                    quote.code = format!("{}{line}\n", quote.code);
                }
            }
            (Some(false) | None, None) => {}
        }
        file = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
    }
    quotes
}

/// How many quotes a page has; all of them true.
fn checked(page: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page_text = fs::read_to_string(root.join(page)).unwrap();
    let quotes = quotes(&page_text);
    for Quote { line, file, code } in &quotes {
        let file = file.unwrap_or_else(|| panic!("{page}:{line}: no word of where this is from"));
        let source =
            fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{page}:{line}: {file}: {error}"));
        assert!(!code.is_empty() && source.contains(code.as_str()), "{page}:{line}: not in {file}:\n{code}");
    }
    quotes.len()
}

#[test]
fn the_integration_guides_quote_what_runs() {
    assert!(checked("docs/integration.md") > 20);
}

#[test]
fn the_page_on_testing_quotes_what_runs() {
    assert!(checked("docs/testing.md") >= 4);
}
