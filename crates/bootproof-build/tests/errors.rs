//! Every mistake tells where it is and what to do: one directory of `tests/errors` for each, with the diagnostics that it
//! must give.

use std::path::Path;

#[test]
fn every_mistake_is_explained() {
    let mut cases: Vec<_> = std::fs::read_dir("tests/errors")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    cases.sort();
    assert!(cases.len() > 40, "{cases:?}");
    for case in cases {
        let directory = format!("tests/errors/{case}");
        let diagnostics = bootproof_build::check(&directory).expect_err(&case).to_string();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(Path::new("..").join(&directory));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("diagnostics", diagnostics));
    }
}

#[test]
fn a_missing_directory_is_an_error() {
    let diagnostics = bootproof_build::check("tests/no_such_directory").unwrap_err();
    let shown: Vec<_> = diagnostics.one_liners().collect();
    assert_eq!(shown.len(), 1);
    assert!(shown[0].starts_with("tests/no_such_directory: cannot read the migrations directory"), "{shown:?}");
}
