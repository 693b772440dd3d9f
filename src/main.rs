//! `worklog-migrate`, the operator's command: all of it is [`bootproof_cli`], for the schema compiled into this crate.

fn main() -> std::process::ExitCode {
    bootproof_cli::main(&worklog_schema::SCHEMA)
}
