//! The builder: which database to make, and the order in which it is made.

use std::path::Path;

use rusqlite::{Connection, Error, Result};

use crate::rows::{self, Target};
use crate::schema;

/// Another number with every change of what a fixture makes: whoever keeps databases knows by it which are out of date.
pub const REVISION: u32 = 2;

/// Which release of the application the database comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// The structure found in production: 32 tables and 42 named indexes.
    #[default]
    Production,
    /// An older one: 27 tables, no companies, no sign-in, no `company_id` anywhere. Not adoptable.
    BeforeCompanies,
}

/// A worklog database to be made. The defaults are a clean production database in rollback-journal mode.
#[derive(Clone, Debug)]
#[must_use = "a fixture makes nothing until `create` is called"]
pub struct Fixture {
    rows: usize,
    seed: u64,
    wal: bool,
    generation: Generation,
    hand_made_indexes: bool,
    run_time_additions: bool,
    orphans: usize,
}

impl Fixture {
    /// A database with this many worklogs and, around them, what an installation of that size has. With 0 worklogs every
    /// table is empty.
    pub fn new(rows: usize) -> Self {
        Self {
            rows,
            seed: 1,
            wal: false,
            generation: Generation::default(),
            hand_made_indexes: false,
            run_time_additions: false,
            orphans: 0,
        }
    }

    /// Other content of the same shape.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// `journal_mode=wal` in place of `delete`.
    pub fn wal(self, wal: bool) -> Self {
        Self { wal, ..self }
    }

    /// The release the database comes from.
    pub fn generation(self, generation: Generation) -> Self {
        Self { generation, ..self }
    }

    /// The index names of phase 1 exist already, made by hand with other columns than the migration's. Before companies
    /// only the two that need no `company_id`.
    pub fn hand_made_indexes(self, hand_made_indexes: bool) -> Self {
        Self { hand_made_indexes, ..self }
    }

    /// What the application adds at start-up without any release declaring it (columns, two tables), and an operator's
    /// index.
    pub fn run_time_additions(self, run_time_additions: bool) -> Self {
        Self { run_time_additions, ..self }
    }

    /// This many rows whose parent is gone, as the application leaves them because it never enforces foreign keys: each is
    /// one row of `PRAGMA foreign_key_check`.
    pub fn orphans(self, orphans: usize) -> Self {
        Self { orphans, ..self }
    }

    /// Makes the database file. The file is closed cleanly: no journal or write-ahead log stays beside it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPath`] when the file exists and is not empty: a fixture never overwrites anything. Otherwise whatever
    /// SQLite reports; the file is then incomplete, and to be deleted.
    pub fn create(&self, path: &Path) -> Result<()> {
        let connection = Connection::open(path)?;
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        if pages > 0 {
            return Err(Error::InvalidPath(path.to_path_buf()));
        }
        // Without protection against a crash: an incomplete fixture is made again, never recovered.
        connection.execute_batch(
            "PRAGMA page_size = 4096; PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;",
        )?;
        self.fill(&connection)?;
        connection.execute_batch(if self.wal {
            "PRAGMA journal_mode = WAL;"
        } else {
            "PRAGMA journal_mode = DELETE;"
        })?;
        connection.close().map_err(|(_, error)| error)
    }

    fn fill(&self, connection: &Connection) -> Result<()> {
        let transaction = connection.unchecked_transaction()?;
        schema::create_tables(&transaction, self.generation)?;
        let target = Target { connection: &transaction, generation: self.generation, seed: self.seed };
        if self.rows > 0 {
            rows::insert(&target, self.rows)?;
        }
        rows::insert_orphans(&target, self.orphans)?;
        schema::create_indexes(&transaction, self.generation)?;
        if self.hand_made_indexes {
            schema::create_hand_made_indexes(&transaction, self.generation)?;
        }
        if self.run_time_additions {
            schema::add_at_run_time(&transaction, self.generation)?;
            if self.rows > 0 {
                rows::insert_at_run_time(&target)?;
            }
        }
        transaction.commit()
    }
}
