//! Compiles the histories as an application's build script would, and notes how long that took without optimisation.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

#[path = "src/history.rs"]
#[expect(unreachable_pub, reason = "the library's own users reach it")]
mod history;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=src/history.rs");
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    let out = Path::new(&out);
    for &length in history::LENGTHS {
        let took = compile(out, &length.to_string(), history::files(length))?;
        println!("cargo:rustc-env=BUILD_SCRIPT_{length}_MS={}", took.as_millis());
    }
    compile(out, "corrected", history::corrections(history::CORRECTED, history::EARLIEST)).map(drop)
}

/// Compiles a history, and says how long that took.
fn compile(out: &Path, name: &str, files: Vec<(String, String)>) -> Result<Duration, Box<dyn Error>> {
    let directory = out.join(format!("history-{name}"));
    fs::create_dir_all(&directory)?;
    for (name, text) in files {
        fs::write(directory.join(name), text)?;
    }
    let start = Instant::now();
    let code = bootproof_build::check(&directory).map_err(|diagnostics| diagnostics.to_string())?.emit();
    let took = start.elapsed();
    fs::write(out.join(format!("history-{name}.rs")), code)?;
    Ok(took)
}
