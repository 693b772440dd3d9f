//! `bootproof`: migrations without a build.

fn main() -> std::process::ExitCode {
    bootproof_cli::tool::main()
}
