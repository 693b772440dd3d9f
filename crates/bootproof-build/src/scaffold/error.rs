//! Why no file was written, and what to do next.

use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostics;

/// What stopped a scaffold. No file was written or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScaffoldError {
    /// Nothing of a name can stand in a file name.
    #[error("nothing remains of the name `{given}`")]
    Nameless {
        /// The name as it was given.
        given: String,
    },

    /// A query contract becomes a constant, whose name cannot begin with a digit.
    #[error("a query contract cannot be named `{name}`")]
    ContractNumbered {
        /// The name.
        name: String,
    },

    /// There is a migration of this name.
    #[error("the name `{name}` is taken by `{}`", path.display())]
    MigrationExists {
        /// The name.
        name: String,
        /// The migration that has it.
        path: PathBuf,
    },

    /// There is a file of this name.
    #[error("`{}` exists already", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },

    /// The highest version is the highest there can be.
    #[error("there is no version after the highest in `{}`", directory.display())]
    NoNumberLeft {
        /// The directory of migrations.
        directory: PathBuf,
    },

    /// The directory does not compile, so nobody knows its schema at head.
    #[error("`{}` does not compile, so its indexes are not known\n{}", directory.display(), diagnostics.to_string().trim_end())]
    NotCompiled {
        /// The directory of migrations.
        directory: PathBuf,
        /// Everything that is wrong with it.
        diagnostics: Diagnostics,
    },

    /// The schema at head has no such index.
    #[error("there is no index `{index}`{}", listed(indexes))]
    UnknownIndex {
        /// The name as it was given.
        index: String,
        /// The most similar of those there are, if one is similar.
        nearest: Option<String>,
        /// Those there are, each as `name on table(columns)`.
        indexes: Vec<String>,
    },

    /// No query that compares the first columns of an index with values makes SQLite search it.
    #[error("no query by the columns of `{index}` would search it\n  by all of them: {reason}")]
    NotSearched {
        /// The index.
        index: String,
        /// What SQLite would do for a query by all of its columns.
        reason: String,
    },

    /// A file or directory cannot be used.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// `read`, `create` or `write`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ScaffoldError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }

    /// The exit code of a program that stops for this reason: 2 to call it otherwise, 5 to mend the migrations, 8 for
    /// the disk and its permissions.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Nameless { .. }
            | Self::ContractNumbered { .. }
            | Self::MigrationExists { .. }
            | Self::FileExists { .. }
            | Self::NoNumberLeft { .. }
            | Self::UnknownIndex { .. }
            | Self::NotSearched { .. } => 2,
            Self::NotCompiled { .. } => 5,
            Self::Io { .. } => 8,
        }
    }

    /// The reason as one stable word for programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nameless { .. } => "nameless",
            Self::ContractNumbered { .. } => "contract_numbered",
            Self::MigrationExists { .. } => "migration_exists",
            Self::FileExists { .. } => "file_exists",
            Self::NoNumberLeft { .. } => "no_number_left",
            Self::NotCompiled { .. } => "not_compiled",
            Self::UnknownIndex { .. } => "unknown_index",
            Self::NotSearched { .. } => "not_searched",
            Self::Io { .. } => "storage",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Nameless { .. } => "use letters from a to z, digits and `_`, such as `add_order_notes`".to_owned(),
            Self::ContractNumbered { .. } => "begin the name with a letter, such as `orders_of_day`".to_owned(),
            Self::MigrationExists { .. } | Self::FileExists { .. } => {
                "choose another name; if it has been applied nowhere yet, edit that file instead".to_owned()
            }
            Self::NoNumberLeft { .. } => format!("the highest version there can be is {}", i64::MAX),
            Self::NotCompiled { .. } => "correct what is reported above first".to_owned(),
            Self::UnknownIndex { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownIndex { .. } => "name one of these, or create the index in a migration first".to_owned(),
            Self::NotSearched { .. } => {
                "does anything need this index? if a query of another kind does, write its contract by hand".to_owned()
            }
            Self::Io { .. } => "check the path, its owner, its permissions and the disk".to_owned(),
        }
    }
}

/// The indexes there are, one a line.
fn listed(indexes: &[String]) -> String {
    if indexes.is_empty() {
        return ": the schema has none".to_owned();
    }
    format!("; the schema has\n  {}", indexes.join("\n  "))
}
