//! Migrators that bring another SQLite than ours, each measured as the crate `benchmarks` measures us:
//!
//! ```console
//! $ peers diesel_migrations first DIRECTORY DATABASE
//! {"took":{"secs":0,"nanos":812345},"peak_bytes":7340032}
//! ```
//!
//! `prepare` applies the migrations of the directory, `first` times one run that finds them applied, `warm` tells the median
//! of a hundred in one process.

mod diesel_migrator;
mod measure;
mod rusqlite_migrator;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A file of the directory: what an application has compiled in, and so has for as long as it runs.
#[derive(Clone, Copy)]
struct File {
    name: &'static str,
    sql: &'static str,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String> {
    let [migrator, act, directory, database] = arguments else {
        return Err("usage: peers diesel_migrations|rusqlite_migration prepare|first|warm DIRECTORY DATABASE".into());
    };
    let files = read(Path::new(directory))?;
    let migrate = match migrator.as_str() {
        "diesel_migrations" => diesel_migrator::migrate,
        "rusqlite_migration" => rusqlite_migrator::migrate,
        _ => return Err(format!("no migrator `{migrator}`").into()),
    };
    match act.as_str() {
        "prepare" => migrate(&files, database).map(|()| String::new()),
        "first" => measure::once(|| migrate(&files, database)),
        "warm" => measure::many(|| migrate(&files, database)),
        _ => Err(format!("no act `{act}`").into()),
    }
}

/// The files in the order of their names.
fn read(directory: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().trim_end_matches(".sql").to_owned().leak();
        files.push(File { name, sql: fs::read_to_string(entry.path())?.leak() });
    }
    files.sort_by(|one, other| one.name.cmp(other.name));
    Ok(files)
}
