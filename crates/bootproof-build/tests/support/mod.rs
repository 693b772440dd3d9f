//! Directories of migrations that a test makes up.

mod directory;

use bootproof_build::{Compilation, Compiler, Diagnostics, Dialect};

pub(crate) use directory::directory;

/// What these files compile to.
pub(crate) fn compile(dialect: Dialect, files: &[(&str, &str)]) -> Compilation {
    let directory = directory(files);
    Compiler::new(directory.path()).dialect(dialect).check().unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// The diagnostics, one a line, without the name of the directory.
pub(crate) fn complaints(dialect: Option<Dialect>, files: &[(&str, &str)]) -> Vec<String> {
    let directory = directory(files);
    let compiler = Compiler::new(directory.path());
    let compiler = dialect.map_or(compiler.clone(), |dialect| compiler.dialect(dialect));
    let shown = |diagnostics: &Diagnostics| -> Vec<String> {
        let root = directory.path().display().to_string();
        diagnostics.one_liners().map(|line| line.replace(&format!("{root}/"), "").replace(&root, ".")).collect()
    };
    match compiler.check() {
        Ok(compilation) => shown(compilation.warnings()),
        Err(diagnostics) => shown(&diagnostics),
    }
}
