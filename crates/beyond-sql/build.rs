//! Compiles a few small directories, as the build script of an application would compile its one.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

const DIRECTORIES: [&str; 4] = ["broken", "outside", "rebuild", "rust"];

#[expect(clippy::print_stderr, reason = "a build script talks to people on stderr")]
fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=migrations");
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), Box<dyn std::error::Error>> {
    let out = env::var("OUT_DIR")?;
    for name in DIRECTORIES {
        let compilation = bootproof_build::check(format!("migrations/{name}"))?;
        fs::write(Path::new(&out).join(format!("{name}.rs")), compilation.emit())?;
    }
    Ok(())
}
