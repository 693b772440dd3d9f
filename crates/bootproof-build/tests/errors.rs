//! Every mistake tells where it is and what to do: one directory of `tests/errors` for each, with the diagnostics that it
//! must give; and in `tests/warnings` what compiles and deserves a look.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::path::Path;

fn cases(directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut cases: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    cases.sort();
    cases
}

fn assert_diagnostics(directory: &str, diagnostics: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new("..").join(directory));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("diagnostics", diagnostics));
}

#[test]
fn every_mistake_is_explained() {
    let cases = cases("tests/errors");
    assert!(cases.len() > 40, "{cases:?}");
    for case in cases {
        let directory = format!("tests/errors/{case}");
        assert_diagnostics(&directory, &bootproof_build::check(&directory).expect_err(&case).to_string());
    }
}

#[test]
fn a_matter_of_judgement_is_a_warning() {
    let cases = cases("tests/warnings");
    assert!(cases.len() >= 7, "{cases:?}");
    for case in cases {
        let directory = format!("tests/warnings/{case}");
        let compilation = bootproof_build::check(&directory).unwrap_or_else(|errors| panic!("{errors}"));
        assert_diagnostics(&directory, &compilation.warnings().to_string());
    }
}

#[test]
fn a_missing_directory_is_an_error() {
    let diagnostics = bootproof_build::check("tests/no_such_directory").unwrap_err();
    let shown: Vec<_> = diagnostics.one_liners().collect();
    assert_eq!(shown.len(), 1);
    assert!(shown[0].starts_with("tests/no_such_directory: cannot read the migrations directory"), "{shown:?}");
}
