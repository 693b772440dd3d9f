//! Compiles `migrations/`; one that would not run stops the build here.

fn main() -> std::process::ExitCode {
    bootproof_build::Compiler::new("migrations").serializable_rows().compile()
}
