//! What is in the tables, area by area, parents before children.

mod organisation;

mod billing;
mod jira;
mod leaves;
mod operations;
mod orphans;
mod run_time;
mod sign_in;
mod worklogs;

use rusqlite::{Connection, Result, Statement, ToSql};

use crate::fixture::Generation;
use organisation::Organisation;

pub(crate) use orphans::insert_orphans;
pub(crate) use run_time::insert_at_run_time;

/// `created_at` and `updated_at` of everything that is not dated by its content: their default would read the clock.
const CREATED: &str = "2023-01-02 08:00:00";

/// Where the rows go.
pub(crate) struct Target<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) generation: Generation,
    pub(crate) seed: u64,
}

/// Every table of the generation gets rows; `worklogs` gets exactly `count`.
pub(crate) fn insert(target: &Target<'_>, count: usize) -> Result<()> {
    let organisation = Organisation::new();
    organisation::insert(target, &organisation)?;
    if target.generation == Generation::Production {
        sign_in::insert(target, &organisation)?;
    }
    jira::insert(target, &organisation)?;
    worklogs::insert(target, &organisation, count)?;
    billing::insert(target, &organisation)?;
    leaves::insert(target, &organisation)?;
    operations::insert(target, &organisation, count)
}

impl<'c> Target<'c> {
    /// An INSERT into a table that no company owns.
    fn insert(&self, table: &str, columns: &str) -> Result<Insert<'c>> {
        Insert::new(self.connection, table, columns, false)
    }

    /// An INSERT into a table with a `company_id` at its end, in the generations that have companies.
    fn insert_owned(&self, table: &str, columns: &str) -> Result<Insert<'c>> {
        Insert::new(self.connection, table, columns, self.generation == Generation::Production)
    }
}

/// A prepared INSERT that adds the owning company where the generation has one.
struct Insert<'c> {
    statement: Statement<'c>,
    has_company: bool,
}

impl<'c> Insert<'c> {
    fn new(connection: &'c Connection, table: &str, columns: &str, has_company: bool) -> Result<Self> {
        let columns = format!("{columns}{}", if has_company { ", company_id" } else { "" });
        let values = vec!["?"; columns.split(',').count()].join(", ");
        let statement = connection.prepare(&format!("INSERT INTO {table} ({columns}) VALUES ({values})"))?;
        Ok(Self { statement, has_company })
    }

    fn row(&mut self, values: &[&dyn ToSql]) -> Result<()> {
        self.owned_row(None, values)
    }

    /// `company_id` is dropped where the table has no such column.
    fn owned_row(&mut self, company_id: impl Into<Option<u32>>, values: &[&dyn ToSql]) -> Result<()> {
        let mut position = 1;
        for value in values {
            self.statement.raw_bind_parameter(position, value)?;
            position += 1;
        }
        if self.has_company {
            self.statement.raw_bind_parameter(position, company_id.into())?;
        }
        self.statement.raw_execute()?;
        Ok(())
    }
}
