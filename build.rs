//! Compiles `migrations/` into versioned Rust code; a migration that would not run stops the build here.

use std::process::ExitCode;

fn main() -> ExitCode {
    bootproof_build::compile("migrations")
}
