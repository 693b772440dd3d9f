//! Which people and instances are asked for: those with the most worklogs in the newest month, as a load that hurts.

use std::path::Path;

use form_urlencoded::Serializer;
use rusqlite::Connection;

/// So many people are enough that clients do not all read the same rows.
const PEOPLE: usize = 200;

/// What clients ask for, as the first line of a request has it.
pub(crate) struct Targets {
    pub(crate) users: Vec<String>,
    pub(crate) syncs: Vec<String>,
}

impl Targets {
    /// Chosen from the data.
    pub(crate) fn of(database: &Path) -> rusqlite::Result<Self> {
        let connection = worklog_schema::open_reader(database)?;
        let targets = |path: &str, parameter: &str, column: &str, most: usize| {
            let sql = format!(
                "WITH newest AS MATERIALIZED (SELECT max(date(started)) AS day FROM worklogs)
                 SELECT company_id, {column}, date(day, 'start of month'), date(day, 'start of month', '+1 month', '-1 day')
                 FROM newest CROSS JOIN worklogs ON date(started) >= date(day, 'start of month')
                 WHERE company_id IS NOT NULL GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT {most}"
            );
            read(&connection, &sql, path, parameter)
        };
        Ok(Self {
            users: targets("/api/dashboard", "email", "lower(author_email)", PEOPLE)?,
            syncs: targets("/api/sync", "instance", "jira_instance", PEOPLE)?,
        })
    }
}

fn read(connection: &Connection, sql: &str, path: &str, parameter: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let company = row.get::<_, i64>(0)?.to_string();
        let (value, from, to): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let mut query = Serializer::for_suffix(format!("{path}?"), path.len() + 1);
        query.append_pair("company_id", &company).append_pair(parameter, &value);
        Ok(query.append_pair("from", &from).append_pair("to", &to).finish())
    })?;
    rows.collect()
}
