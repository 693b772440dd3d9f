//! The tool that measures under load runs, stays within its bounds and prints its table.

use std::process::Command;

#[test]
fn a_short_load_prints_its_table() {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_load"))
        .args([
            "--rows",
            "2000",
            "--clients",
            "4",
            "--seconds",
            "1",
            "--requests",
            "200",
            "--pause",
            "5",
            "--directory",
        ])
        .arg(directory.path())
        .output()
        .unwrap();
    let (table, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let rows: Vec<_> = table.lines().filter(|line| line.contains("| user |") || line.contains("| sync |")).collect();
    assert_eq!(rows.len(), 4, "{table}");
    assert!(rows.iter().all(|row| !row.contains("none")), "every view was answered: {table}");
    assert!(table.contains("Requests without an answer: 0 before, 0 after."), "{table}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left behind");
}
