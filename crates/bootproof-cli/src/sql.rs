//! Prints what this program carries.

use bootproof::Schema;
use bootproof::compiled::Migration;
use serde::Serialize;

use crate::output::Answer;

/// What `sql --json` shows.
#[derive(Serialize)]
struct Listings<'a> {
    migrations: Vec<Listing<'a>>,
}

/// One migration of it.
#[derive(Serialize)]
struct Listing<'a> {
    version: i64,
    name: &'a str,
    file: &'a str,
    checksum: String,
    sql: &'a str,
}

/// The SQL of one migration, or of all.
pub(crate) fn print(schema: &Schema, version: Option<i64>, json: bool) -> Result<Answer, String> {
    let migrations = schema.compiled().migrations;
    let Some(version) = version else {
        return Ok(if json { listing(migrations) } else { Answer::of_text(script(migrations)) });
    };
    let migration = schema.migration(version).ok_or_else(|| no_such_version(version, migrations))?;
    if json {
        return Ok(listing(std::slice::from_ref(migration)));
    }
    let file = schema.sources().iter().find(|source| source.path == migration.file);
    // Byte for byte, so that it can be compared with the file in the repository; what runs has its line endings
    // normalised.
    Ok(Answer::of_bytes(file.map_or(migration.sql.as_bytes(), |source| source.bytes).to_vec()))
}

fn listing(migrations: &[Migration]) -> Answer {
    let listed = migrations.iter().map(|migration| Listing {
        version: migration.version,
        name: migration.name,
        file: migration.file,
        // 64 bits do not fit into the numbers of JavaScript; the history table has it as text too.
        checksum: migration.checksum.to_string(),
        sql: migration.sql,
    });
    Answer::of_json(&Listings { migrations: listed.collect() })
}

/// All migrations as one script: normalised, because a byte order mark in its midst would not parse.
fn script(migrations: &[Migration]) -> String {
    let files = migrations.iter().map(|migration| format!("-- {}\n{}\n", migration.file, migration.sql.trim_end()));
    files.collect::<Vec<_>>().join("\n")
}

fn no_such_version(version: i64, migrations: &[Migration]) -> String {
    let versions: Vec<_> = migrations.iter().map(|migration| migration.version.to_string()).collect();
    format!("this program carries no migration {version}; it carries {}", versions.join(", "))
}

#[cfg(test)]
pub(crate) mod tests {
    use bootproof::Source;
    use bootproof::compiled::{Compiled, Image};

    use super::*;

    static MIGRATIONS: [Migration; 2] = [
        migration(0, "people", "000_people.sql", "CREATE TABLE people (name TEXT);\n"),
        migration(12, "index", "012_index.sql", "CREATE INDEX by_name ON people (name);"),
    ];

    static COMPILED: Compiled = Compiled {
        migrations: &MIGRATIONS,
        contracts: &[],
        image: Image { compressed: &[], size: 0, stand_ins: &[] },
        sqlite_version: "3.54.0",
        dialect: "bootproof",
        replaces: &[],
    };

    const fn migration(version: i64, name: &'static str, file: &'static str, sql: &'static str) -> Migration {
        Migration {
            version,
            name,
            file,
            sql,
            checksum: u64::MAX,
            statements: &[],
            creates: &[],
            writes: &[],
            fingerprint: 0,
            maintenance: None,
            compatible: false,
            step: None,
            no_transaction: None,
            revert: None,
        }
    }

    /// Two migrations, the first embedded as a file with line endings of Windows.
    pub(crate) fn schema() -> Schema {
        let bytes = b"CREATE TABLE people (name TEXT);\r\n";
        Schema::new("app", &COMPILED).with_build("app 1.2.3").with_sources([Source { path: "000_people.sql", bytes }])
    }

    fn text(answer: &Answer) -> String {
        String::from_utf8(answer.data.clone()).unwrap()
    }

    #[test]
    fn prints_every_migration_in_order() {
        let answer = print(&schema(), None, false).unwrap();
        insta::assert_snapshot!(text(&answer), @r"
        -- 000_people.sql
        CREATE TABLE people (name TEXT);

        -- 012_index.sql
        CREATE INDEX by_name ON people (name);
        ");
    }

    #[test]
    fn prints_one_file_exactly() {
        assert_eq!(text(&print(&schema(), Some(0), false).unwrap()), "CREATE TABLE people (name TEXT);\r\n");
    }

    #[test]
    fn lists_migrations_for_programs() {
        let answer = print(&schema(), Some(12), true).unwrap();
        assert_eq!(
            text(&answer),
            "{\"migrations\":[{\"version\":12,\"name\":\"index\",\"file\":\"012_index.sql\",\
             \"checksum\":\"18446744073709551615\",\"sql\":\"CREATE INDEX by_name ON people (name);\"}]}\n"
        );
    }

    #[test]
    fn an_unknown_version_lists_those_there_are() {
        let message = print(&schema(), Some(3), false).unwrap_err();
        assert!(message.contains("no migration 3; it carries 0, 12"), "{message}");
    }
}
