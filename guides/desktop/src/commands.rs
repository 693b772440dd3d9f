//! What a window may ask. In Tauri each of these is a `#[tauri::command]` with `State<'_, Arc<Database>>`.

use std::sync::Arc;

use tasks::SOME_DAY;

use crate::database::Database;
use crate::notice::Notice;

/// The stand-in's `invoke_handler`: a line that a person would have clicked together.
pub(crate) fn invoke(database: &Arc<Database>, line: &str) -> Result<String, Notice> {
    match line.split_once(' ').unwrap_or((line, "")) {
        ("list", _) => list(database),
        ("add", title) => add(database, title),
        ("restore", _) => database.restore(),
        ("details", _) => Ok(database.with(|_| Ok(())).err().map(|notice| notice.details).unwrap_or_default()),
        _ => Ok("?".to_owned()),
    }
}

fn list(database: &Database) -> Result<String, Notice> {
    let tasks = database.with(|connection| tasks::open(connection, SOME_DAY))?;
    Ok(tasks.iter().map(|task| task.title.as_str()).collect::<Vec<_>>().join(", "))
}

fn add(database: &Database, title: &str) -> Result<String, Notice> {
    database.with(|connection| tasks::add(connection, title, SOME_DAY)).map(|id| id.to_string())
}
