//! Compiles one directory of every dialect, as the build script of an application would compile its own.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use bootproof_build::{Compiler, Dialect};

const DIRECTORIES: &str = "../bootproof-build/tests/dialects";

const CASES: [&str; 9] = [
    "refinery_library",
    "sqlx_notes",
    "diesel_blog",
    "prisma_crm",
    "goose_shop",
    "dbmate_tickets",
    "golang-migrate_identity",
    "drizzle_todo",
    "flyway_warehouse",
];

#[expect(clippy::print_stderr, reason = "a build script talks to people on stderr")]
fn main() -> ExitCode {
    println!("cargo:rerun-if-changed={DIRECTORIES}");
    match generate().and_then(|()| generate_many()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A module for every directory, and a list of them.
fn generate() -> Result<(), Box<dyn std::error::Error>> {
    let out = env::var("OUT_DIR")?;
    let (mut modules, mut list) = (String::new(), String::new());
    for case in CASES {
        let directory = format!("{DIRECTORIES}/{case}");
        let dialect = case.split('_').next().unwrap_or_default().parse::<Dialect>()?;
        let compilation = Compiler::new(&directory).dialect(dialect).check()?;
        let module = dialect.name().replace('-', "_");
        fs::write(Path::new(&out).join(format!("{module}.rs")), compilation.emit())?;
        writeln!(
            modules,
            "#[allow(unreachable_pub)] mod {module} {{ include!(concat!(env!(\"OUT_DIR\"), \"/{module}.rs\")); \
             pub static FILES: Dir<'static> = include_dir!(\"$CARGO_MANIFEST_DIR/{directory}\"); }}"
        )?;
        writeln!(list, "    (\"{dialect}\", &{module}::COMPILED, &{module}::FILES),")?;
    }
    let layouts = format!("static LAYOUTS: [Layout; {}] = [\n{list}];\n", CASES.len());
    let modules = modules.replace("{ include!", "{ use include_dir::{Dir, include_dir}; include!");
    fs::write(Path::new(&out).join("layouts.rs"), modules + &layouts)?;
    Ok(())
}

/// More migrations than are upgraded on files one by one, and rows for each version.
fn generate_many() -> Result<(), Box<dyn std::error::Error>> {
    let out = env::var("OUT_DIR")?;
    let directory = Path::new(&out).join("migrations");
    fs::create_dir_all(&directory)?;
    for version in 1..=32 {
        let sql = match version % 4 {
            1 => format!("CREATE TABLE t{version}(id INTEGER PRIMARY KEY, name TEXT);\n"),
            2 => format!("ALTER TABLE t{} ADD COLUMN note TEXT;\n", version - 1),
            3 => format!("UPDATE t{} SET note = trim(name) WHERE note IS NULL;\n", version - 2),
            _ => format!("CREATE INDEX t{0}_name ON t{0}(name);\n", version - 3),
        };
        fs::write(directory.join(format!("{version:03}_step.sql")), sql)?;
    }
    let compilation = Compiler::new(&directory).check()?;
    fs::write(Path::new(&out).join("many.rs"), compilation.emit())?;
    fs::write(Path::new(&out).join("many_samples.rs"), compilation.emit_samples())?;
    Ok(())
}
