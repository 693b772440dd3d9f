//! Compiles the histories as an application's build script would, and notes how long that took without optimisation.

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

#[path = "src/history.rs"]
#[expect(unreachable_pub, reason = "the library's own users reach it")]
mod history;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=src/history.rs");
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    for &length in history::LENGTHS {
        let directory = Path::new(&out).join(format!("history-{length}"));
        fs::create_dir_all(&directory)?;
        for (name, text) in history::files(length) {
            fs::write(directory.join(name), text)?;
        }
        let start = Instant::now();
        let code = bootproof_build::check(&directory).map_err(|diagnostics| diagnostics.to_string())?.emit();
        println!("cargo:rustc-env=BUILD_SCRIPT_{length}_MS={}", start.elapsed().as_millis());
        fs::write(Path::new(&out).join(format!("history-{length}.rs")), code)?;
    }
    Ok(())
}
