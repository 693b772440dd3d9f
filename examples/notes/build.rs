//! Compiles `migrations/`; one that would not run, or would lose notes, stops the build here.

fn main() -> std::process::ExitCode {
    bootproof_build::compile("migrations")
}
