//! A desktop program in the shape of Tauri's, without a window: what a person would click on are lines on standard input, and
//! what a window would show are lines on standard output.
//!
//! - this file: the stand-in for Tauri's builder, setup hook and event loop
//! - `database`: the state that commands share, and its boot
//! - `notice`: what a person is shown where the boot refuses
//! - `commands`: what a window may ask

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "they are its window")]

mod commands;
mod database;
mod notice;

use std::io::{self, BufRead as _};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::database::Database;

fn main() -> ExitCode {
    // What `app.path().app_data_dir()` tells in Tauri: each user of the computer has one.
    let Some(data) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: guide-desktop DIRECTORY");
        return ExitCode::from(2);
    };
    // The setup hook. It returns at once: as long as it works, no window is drawn.
    let database = Database::in_directory(&data);
    let booting = database.boot();

    // The windows. The first shows what the database is doing; here the stand-in just waits.
    if booting.join().is_err() {
        return ExitCode::FAILURE;
    }
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match commands::invoke(&database, &line) {
            Ok(answer) => println!("{answer}"),
            Err(notice) => println!("{notice}"),
        }
    }
    ExitCode::SUCCESS
}
