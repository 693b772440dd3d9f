//! What can be said before a directory is compiled, where its files do not say it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, fs};

use crate::compilation::Compilation;
use crate::compile;
use crate::diagnostic::{Audience, Diagnostic, Diagnostics};
use crate::dialect::Dialect;
use crate::emit::Extras;
use crate::lock::{self, LockError, Locked};
use crate::source::{self, File};
use crate::squash::{self, SquashError};

/// Compiles a directory of migrations; [`compile`](crate::compile()) and [`check`](crate::check) with options.
///
/// # Examples
///
/// A `build.rs` of an application that comes from goose, whose migrations call a function that it registers:
///
/// ```no_run
/// use bootproof_build::{Compiler, Dialect};
///
/// fn main() -> std::process::ExitCode {
///     Compiler::new("db/migrations").dialect(Dialect::Goose).stub_function("uuid", 0).compile()
/// }
/// ```
///
/// The same without a build, for a test or a tool:
///
/// ```
/// use bootproof_build::{Compiler, Dialect};
///
/// # let directory = tempfile::tempdir()?;
/// # std::fs::write(directory.path().join("V1__orders.sql"), "CREATE TABLE orders(id INTEGER PRIMARY KEY);")?;
/// let compilation = Compiler::new(directory.path()).dialect(Dialect::Refinery).check()?;
/// assert_eq!(compilation.head_version(), 1);
/// assert_eq!(compilation.schema(), ["CREATE TABLE orders(id INTEGER PRIMARY KEY)"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Compiler {
    directory: PathBuf,
    settings: Settings,
    extras: Extras,
}

/// What a compilation goes by besides the files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) dialect: Option<Dialect>,
    pub(crate) stubs: Vec<Stub>,
    /// The last version to compile; then no query contract is, which belong to the head.
    pub(crate) up_to: Option<i64>,
    /// A query contract that nobody has written yet.
    pub(crate) draft: Option<Arc<File>>,
    /// Whether everything counts as released that a lock file could list.
    pub(crate) releases_all: bool,
    /// Who reads what is wrong.
    pub(crate) audience: Audience,
}

/// A function of the application, by name and number of arguments.
#[derive(Clone, Debug)]
pub(crate) struct Stub {
    pub(crate) name: String,
    pub(crate) arguments: i32,
}

impl Stub {
    /// Whether SQLite can have a function like that (<https://sqlite.org/c3ref/create_function.html>).
    fn is_possible(&self) -> bool {
        !self.name.is_empty()
            && self.name.len() <= 255
            && !self.name.contains('\0')
            && (-1..=100).contains(&self.arguments)
    }
}

impl Settings {
    /// Reports what cannot be.
    pub(crate) fn check(&self, diagnostics: &mut Diagnostics) {
        for Stub { name, arguments } in self.stubs.iter().filter(|stub| !stub.is_possible()) {
            let message = format!("no function can be `{}` with {arguments} arguments", name.escape_default());
            let diagnostic = Diagnostic::error("stub-function", message);
            diagnostics.push(diagnostic.help("give its name and 0 to 100 arguments, or -1 for any number"));
        }
    }
}

impl Compiler {
    /// A compiler of a directory: relative to the crate for [`Compiler::compile`], to the working directory for
    /// [`Compiler::check`].
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), settings: Settings::default(), extras: Extras::default() }
    }

    /// Reads the directory as that tool would, instead of finding out which one it is written for.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.settings.dialect = Some(dialect);
        self
    }

    /// Lets migrations call a function that the application registers; -1 arguments is any number.
    ///
    /// It returns NULL here, whatever it is given. The application still has to register it on the connection that migrates. Where
    /// a migration calls it, and does not just name it in a DEFAULT or a trigger, a new database is made by the migrations, too,
    /// instead of from the compiled image ([`Compilation::stand_ins`](crate::Compilation::stand_ins)).
    #[must_use]
    pub fn stub_function(mut self, name: impl Into<String>, arguments: i32) -> Self {
        self.settings.stubs.push(Stub { name: name.into(), arguments });
        self
    }

    /// Lets the rows of query contracts implement `serde::Serialize`, for answers in JSON.
    ///
    /// The application needs no dependency for it.
    #[must_use]
    pub fn serializable_rows(mut self) -> Self {
        self.extras.serializes_rows = true;
        self
    }

    /// Leaves out every migration of a higher version, and the query contracts, which are about the newest.
    #[must_use]
    pub fn up_to(mut self, version: i64) -> Self {
        self.settings.up_to = Some(version);
        self
    }

    /// Lets what is wrong be told in words of the command `bootproof`: its options, not what build.rs would call.
    #[doc(hidden)] // For `bootproof-cli`.
    #[must_use]
    pub fn on_command_line(mut self) -> Self {
        self.settings.audience = Audience::CommandLine;
        self
    }

    /// Compiles the directory into `$OUT_DIR`, as [`compile`](crate::compile()) does; for `build.rs`.
    #[must_use]
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "a build script talks to cargo on stdout, to people on stderr"
    )]
    pub fn compile(&self) -> ExitCode {
        let shown = &self.directory;
        // First of all: a build that fails must run again when the file that failed it is mended. Cargo looks at everything
        // below the directory, and takes a directory that does not exist for changed.
        println!("cargo:rerun-if-changed={}", shown.display());
        let (Some(manifest), Some(out)) = (env::var_os("CARGO_MANIFEST_DIR"), env::var_os("OUT_DIR")) else {
            eprintln!(
                "error: CARGO_MANIFEST_DIR or OUT_DIR is not set\nhelp: call `bootproof_build::compile` from build.rs"
            );
            return ExitCode::FAILURE;
        };
        match compile::compile(&Path::new(&manifest).join(shown), shown, &self.settings) {
            Ok(compilation) => {
                // Cargo shows this with `-vv` alone: nothing is wrong.
                for left in compilation.left_empty() {
                    eprintln!("note: {left}");
                }
                for warning in compilation.warnings().one_liners() {
                    println!("cargo:warning={warning}");
                }
                let files = [
                    ("bootproof.rs", compilation.emit_with(self.extras)),
                    ("bootproof_samples.rs", compilation.emit_samples()),
                ];
                for (name, code) in files {
                    let target = Path::new(&out).join(name);
                    if let Err(error) = fs::write(&target, code) {
                        eprintln!("error: cannot write {}: {error}", target.display());
                        return ExitCode::FAILURE;
                    }
                }
                ExitCode::SUCCESS
            }
            Err(diagnostics) => {
                eprintln!("{diagnostics}");
                ExitCode::FAILURE
            }
        }
    }

    /// Reads, rehearses and proves the directory. Writes nothing.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, not only the first thing; warnings are among it.
    pub fn check(&self) -> Result<Compilation, Diagnostics> {
        compile::compile(&self.directory, &self.directory, &self.settings)
    }

    /// The versions for which the directory has files, in ascending order, whether or not they compile.
    #[must_use]
    pub fn versions(&self) -> Vec<i64> {
        source::versions(&self.directory, self.settings.dialect)
    }

    /// Lists every migration of the directory as released, as [`lock`](crate::lock()) does.
    ///
    /// # Errors
    ///
    /// Those of [`lock`](crate::lock()).
    pub fn lock(&self) -> Result<Locked, LockError> {
        lock::lock(&self.directory, &self.settings)
    }

    /// The text of one file that leaves the same as all migrations up to a version, as [`squash`](crate::squash()) does,
    /// divided as the tool of the directory wants it.
    ///
    /// # Errors
    ///
    /// Those of [`squash`](crate::squash()).
    pub fn squash(&self, to: i64) -> Result<String, SquashError> {
        squash::squash(&self.directory, to, &self.settings)
    }
}
