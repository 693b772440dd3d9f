//! The structure, as SQL text in files: what each generation of the application executed, in its own style.

use rusqlite::{Connection, Result};

use crate::fixture::Generation;

/// The tables, grown release by release.
pub(crate) fn create_tables(connection: &Connection, generation: Generation) -> Result<()> {
    connection.execute_batch(include_str!("schema/tables.sql"))?;
    match generation {
        Generation::BeforeCompanies => Ok(()),
        Generation::Production => connection.execute_batch(include_str!("schema/companies.sql")),
    }
}

/// The named indexes. After the rows: an index over existing rows is sorted once, several times faster.
pub(crate) fn create_indexes(connection: &Connection, generation: Generation) -> Result<()> {
    connection.execute_batch(include_str!("schema/indexes.sql"))?;
    match generation {
        Generation::BeforeCompanies => Ok(()),
        Generation::Production => connection.execute_batch(include_str!("schema/company_indexes.sql")),
    }
}

/// The names of phase 1 with other columns; of the four, the two on `worklogs` need a `company_id`.
pub(crate) fn create_hand_made_indexes(connection: &Connection, generation: Generation) -> Result<()> {
    connection.execute_batch(include_str!("schema/hand_made_indexes.sql"))?;
    match generation {
        Generation::BeforeCompanies => Ok(()),
        Generation::Production => connection.execute_batch(include_str!("schema/hand_made_company_indexes.sql")),
    }
}

/// Columns, tables and indexes that no release declares but the application or an operator made.
pub(crate) fn add_at_run_time(connection: &Connection, generation: Generation) -> Result<()> {
    connection.execute_batch(include_str!("schema/run_time_additions.sql"))?;
    match generation {
        Generation::BeforeCompanies => Ok(()),
        Generation::Production => connection.execute_batch(include_str!("schema/run_time_company_additions.sql")),
    }
}
