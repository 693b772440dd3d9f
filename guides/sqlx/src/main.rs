//! A program on sqlx: a helper boots its database and has ended before sqlx opens it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row as _};

/// A query contract without a sampling query is one statement, and can be included as it is.
const OPEN_TASKS: &str = include_str!("../../tasks/migrations/queries/open_tasks.sql");

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(helper), Some(database)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: guide-sqlx HELPER FILE");
        return ExitCode::from(2);
    };
    // First thing. The helper has said why, if it refuses; its exit code is ours.
    match Command::new(&helper).arg(&database).status() {
        Ok(status) if status.success() => {}
        Ok(status) => return ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("error: {}: {error}", helper.display());
            return ExitCode::from(8);
        }
    }
    match list(&database).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn list(database: &Path) -> sqlx::Result<()> {
    let (readers, _writer) = open(database).await?;
    // sqlx binds by number. The plan is that of the contract.
    let sql = AssertSqlSafe(OPEN_TASKS.replace(":until", "?1"));
    for task in sqlx::query(sql).bind("9999-12-31").fetch_all(&readers).await? {
        println!("{}", task.try_get::<String, _>("title")?);
    }
    Ok(())
}

/// Readers, and the one writer.
async fn open(database: &Path) -> sqlx::Result<(SqlitePool, SqlitePool)> {
    let options = SqliteConnectOptions::new().filename(database).busy_timeout(Duration::from_secs(5));
    // `create_if_missing` is off: where the file is gone, nobody goes on with an empty one that was never proven.
    let writer = options.clone().journal_mode(SqliteJournalMode::Wal).foreign_keys(true);
    let writer = SqlitePoolOptions::new().max_connections(1).connect_with(writer).await?;
    let readers = SqlitePoolOptions::new().max_connections(4).connect_with(options.read_only(true)).await?;
    Ok((readers, writer))
}
