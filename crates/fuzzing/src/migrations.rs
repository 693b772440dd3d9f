//! A migrations directory: either it compiles to Rust, or what is wrong is told with its place.

use std::fs;
use std::path::Path;

use bootproof_build::{Compilation, Diagnostic, Diagnostics, check};
use bootproof_catalog::source::normalise;
use rusqlite::Connection;

use crate::scratch;

/// What begins each file of an input: `=== NAME`, on a line of its own.
pub(crate) const FILE: &[u8] = b"=== ";
/// The name of the first file where the input does not say.
const FIRST: &[u8] = b"001_first.sql";
/// What every annotated query has to begin with.
const SCHEMA: &str = "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT);\n\
                      CREATE INDEX idx_orders_customer ON orders(customer, placed);\n";

/// Files with their names, each behind a line `=== NAME`.
pub(crate) fn directory(data: &[u8]) {
    let directory = scratch::directory();
    for (name, text) in split(data) {
        place(directory.path(), name, text);
    }
    keeps_its_promises(directory.path());
}

/// One text, as a query contract and as a migration.
pub(crate) fn annotations(data: &[u8]) {
    let directory = scratch::directory();
    place(directory.path(), b"001_orders.sql", SCHEMA.as_bytes());
    place(directory.path(), b"queries/orders.sql", data);
    keeps_its_promises(directory.path());
    place(directory.path(), b"002_annotated.sql", &[data, b"\nALTER TABLE orders ADD COLUMN note TEXT;\n"].concat());
    fs::remove_dir_all(directory.path().join("queries")).expect("the directory of contracts");
    keeps_its_promises(directory.path());
}

fn split(data: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut files: Vec<(&[u8], &[u8])> = Vec::new();
    let (mut name, mut start, mut line_start) = (FIRST, 0, 0);
    for line in data.split_inclusive(|&byte| byte == b'\n') {
        let line_end = line_start + line.len();
        if let Some(next) = line.strip_prefix(FILE) {
            if line_start > 0 {
                files.push((name, &data[start..line_start]));
            }
            (name, start) = (next.trim_ascii_end(), line_end);
        }
        line_start = line_end;
    }
    files.push((name, &data[start..]));
    files
}

/// Writes a file below the directory, if it can have that name there.
fn place(directory: &Path, name: &[u8], text: &[u8]) {
    let below = |prefix: &'static str| Some((directory.join(prefix), name.strip_prefix(prefix.as_bytes())?));
    let (folder, name) =
        below("queries/samples/").or_else(|| below("queries/")).unwrap_or_else(|| (directory.to_owned(), name));
    let fits = !name.is_empty() && name.len() < 200 && !name.contains(&b'/') && !name.contains(&0);
    if !fits || name == b"." || name == b".." || folder.join(scratch::name(name)).is_dir() {
        return;
    }
    fs::create_dir_all(&folder).expect("the folder of the file");
    fs::write(folder.join(scratch::name(name)), text).expect("the file");
}

fn keeps_its_promises(directory: &Path) {
    let (files, here) = (scratch::files(directory), scratch::names_here());
    let (first, second) = (check(directory), check(directory));
    assert_eq!(told(&first), told(&second), "the same directory, another answer");
    assert_eq!(scratch::files(directory), files, "compiling touched the directory");
    assert_eq!(scratch::names_here(), here, "compiling touched the directory it was called in");
    let diagnostics = match &first {
        Ok(compilation) => {
            is_usable(compilation);
            compilation.warnings()
        }
        Err(diagnostics) => diagnostics,
    };
    diagnostics.iter().for_each(|diagnostic| is_in_its_place(directory, diagnostic));
}

fn told(checked: &Result<Compilation, Diagnostics>) -> (String, String) {
    match checked {
        Ok(compilation) => (compilation.emit(), compilation.warnings().to_string()),
        Err(diagnostics) => {
            assert!(diagnostics.errors() > 0, "nothing compiled and nothing is wrong");
            (diagnostics.to_string(), diagnostics.one_liners().collect())
        }
    }
}

/// The code is Rust that rustc takes, and the image is a sound database.
fn is_usable(compilation: &Compilation) {
    let code = compilation.emit();
    syn::parse_file(&code).unwrap_or_else(|error| panic!("the code is no Rust: {error}\n{code}"));
    // rustc refuses these even in a comment.
    let refused = |c: char| c == '\r' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!code.contains(refused), "rustc refuses this code:\n{}", code.escape_debug());
    let mut connection = Connection::open_in_memory().expect("a database");
    let image = compilation.image();
    connection.deserialize_read_exact("main", image, image.len(), true).expect("the image is a database");
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a verdict");
    assert_eq!(sound, "ok");
}

/// What is told of a file stands in it.
fn is_in_its_place(directory: &Path, diagnostic: &Diagnostic) {
    assert_ne!(diagnostic.rule(), "rehearsal", "no statement is to blame: {}", diagnostic.message());
    assert!(!diagnostic.message().contains(['\n', '\r']), "a message of more lines: {:?}", diagnostic.message());
    let (Some(file), Some((line, column))) = (diagnostic.file(), diagnostic.position()) else { return };
    assert!(line > 0 && column > 0);
    let Ok(bytes) = fs::read(directory.join(file)) else { return };
    let text = normalise(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned());
    let found = text.split('\n').nth(line - 1).unwrap_or_else(|| panic!("{file} has no line {line}"));
    let columns = found.chars().count() + 1;
    assert!(column <= columns, "{file}:{line} has {columns} columns, not {column}: {}", diagnostic.message());
}
