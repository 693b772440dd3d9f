//! What cargo sees of a build script.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

use std::path::Path;
use std::process::{Command, Output};
use std::{env, fs};

/// Runs this test program again as the build script of a crate: [`compile`](bootproof_build::compile) writes to the
/// process's own output.
fn build_script(manifest: &Path) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "as_build_script", "--nocapture", "--test-threads=1"])
        .env("CARGO_MANIFEST_DIR", manifest)
        .env("OUT_DIR", manifest)
        .env("AS_BUILD_SCRIPT", "1")
        .output()
        .unwrap()
}

#[test]
fn as_build_script() {
    if env::var_os("AS_BUILD_SCRIPT").is_some() {
        let code = bootproof_build::compile("migrations");
        assert_eq!(code, std::process::ExitCode::SUCCESS);
    }
}

#[test]
fn writes_the_code_and_prints_warnings_for_cargo() {
    let manifest = tempfile::tempdir().unwrap();
    fs::create_dir(manifest.path().join("migrations")).unwrap();
    fs::write(manifest.path().join("migrations/1_a.sql"), "CREATE TABLE a(x)").unwrap();
    fs::write(manifest.path().join("migrations/02_b.sql"), "CREATE TABLE b(x)").unwrap();
    let output = build_script(manifest.path());
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(stdout.contains("cargo:rerun-if-changed=migrations\n"), "{stdout}");
    assert!(stdout.contains("cargo:warning=migrations/02_b.sql: versions have 1 to 2 digits"), "{stdout}");
    let code = fs::read_to_string(manifest.path().join("bootproof.rs")).unwrap();
    assert!(code.starts_with("// @generated"), "{code}");
}

#[test]
fn a_failing_build_runs_again_when_the_directory_changes() {
    let manifest = tempfile::tempdir().unwrap();
    let output = build_script(manifest.path());
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(!output.status.success());
    assert!(stdout.contains("cargo:rerun-if-changed=migrations\n"), "{stdout}");
    assert!(stderr.contains("error[unreadable]: cannot read the migrations directory"), "{stderr}");
    assert!(stderr.contains("error: could not compile `migrations`: 1 error"), "{stderr}");
    assert!(!manifest.path().join("bootproof.rs").exists());
}
