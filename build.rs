//! Compiles `migrations/` into versioned Rust code; a migration that would not run stops the build here.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The dashboard answers in JSON.
    bootproof_build::Compiler::new("migrations").serializable_rows().compile()
}
