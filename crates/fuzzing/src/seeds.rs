//! Input to begin with: the repository's own files, what is valid in other ways, and what once broke a promise.

use std::fs;
use std::path::{Path, PathBuf};

use crate::migrations::FILE;

/// What means something to one parser or another; libFuzzer reads the same from `fuzz/words.dict`.
pub const WORDS: &str = include_str!("../../../fuzz/words.dict");

/// Where the files of a target's own seeds are, one file an input.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

pub(crate) fn migrations() -> Vec<Vec<u8>> {
    let root = Path::new(ROOT);
    let mut seeds = own("migrations");
    seeds.extend(large());
    seeds.push(directory(&root.join("migrations")));
    // Every mistake that the compiler is known to explain.
    seeds.extend(sorted(&root.join("crates/bootproof-build/tests/errors")).iter().map(|case| directory(case)));
    seeds
}

/// Migrations of one thing very often: what nests, what is long, what is many.
fn large() -> [Vec<u8>; 6] {
    let nested = |open: &str, times| format!("SELECT {}1{};\n", open.repeat(times), ")".repeat(times));
    let columns = (0..=2_000).map(|number| format!("c{number}")).collect::<Vec<_>>().join(", ");
    [
        nested("(", 5_000),
        nested("(SELECT ", 900),
        format!("CREATE TABLE t({columns});\n"),
        format!("CREATE TABLE t(a{} , b CHECK (a));\n", " x".repeat(30_000)),
        format!("CREATE TABLE t(a); INSERT INTO t(a) VALUES (1){}; SELECT b FROM t;\n", ", (1)".repeat(20_000)),
        format!("CREATE TABLE t(a);\n{}SELECT b FROM t;\n", "INSERT INTO t(a) VALUES (1);\n".repeat(1_000)),
    ]
    .map(String::into_bytes)
}

pub(crate) fn annotations() -> Vec<Vec<u8>> {
    let mut seeds = own("annotations");
    let contracts = sorted(&Path::new(ROOT).join("migrations/queries"));
    seeds.extend(contracts.iter().filter(|path| path.is_file()).map(|file| bytes(file)));
    seeds
}

pub(crate) fn sql_text() -> Vec<Vec<u8>> {
    let mut seeds = own("sql_text");
    let migrations = Path::new(ROOT).join("migrations");
    let files = sorted(&migrations).into_iter().filter(|path| path.is_file());
    seeds.extend(files.map(|file| [bytes(&file), b"\0SELECT * FROM worklogs WHERE company_id = 1".to_vec()].concat()));
    seeds
}

/// Edits are read from bytes: any will do, and these do a little of everything.
pub(crate) fn edits() -> Vec<Vec<u8>> {
    let mut seeds = own("edits");
    seeds.extend((0..4_u8).map(|first| (0..96_u8).map(|byte| byte.wrapping_mul(first * 2 + 37) ^ first).collect()));
    seeds
}

pub(crate) fn backups() -> Vec<Vec<u8>> {
    let beside = own("backup");
    let edits = edits();
    let joined = beside.iter().cycle().zip(&edits).map(|(beside, edits)| [beside, &b"\0"[..], edits].concat());
    joined.chain(beside.iter().cloned()).collect()
}

pub(crate) fn arguments() -> Vec<Vec<u8>> {
    let lines = own("arguments");
    lines
        .iter()
        .flat_map(|text| text.split(|&byte| byte == b'\n'))
        .map(|line| line.iter().map(|&byte| if byte == b' ' { 0 } else { byte }).collect())
        .collect()
}

pub(crate) fn settings() -> Vec<Vec<u8>> {
    let mut seeds = own("settings");
    seeds.push([b"1.5\nfull\nno-new\non\n2\noff\0", &*bytes(&Path::new(ROOT).join("deploy/health.toml"))].concat());
    seeds
}

/// A directory of migrations as one input.
fn directory(path: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    for prefix in ["", "queries/", "queries/samples/"] {
        for file in sorted(&path.join(prefix)).iter().filter(|file| file.is_file()) {
            let name = file.file_name().expect("a name").as_encoded_bytes();
            text.extend([FILE, prefix.as_bytes(), name, b"\n", &bytes(file)].concat());
        }
    }
    text
}

fn own(target: &str) -> Vec<Vec<u8>> {
    sorted(&Path::new(OWN).join(target)).iter().map(|file| bytes(file)).collect()
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).expect("a file of the repository")
}
