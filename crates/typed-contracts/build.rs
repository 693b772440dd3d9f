//! Compiles the contracts as an application would.

fn main() -> std::process::ExitCode {
    bootproof_build::Compiler::new("migrations").serializable_rows().compile()
}
