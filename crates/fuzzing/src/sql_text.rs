//! The readers of SQL text: they never fail, and what is compared with itself is the same.

use bootproof_catalog::{Catalog, Fingerprint, QueryPlan, difference, quoted, token};
use rusqlite::Connection;
use rusqlite::limits::Limit;

/// How much a hostile schema may do before it is called off, in thousands of steps.
const STEPS: usize = 200;

/// A schema, and behind the first NUL byte a query.
pub(crate) fn catalog(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (schema, query) = text.split_once('\0').unwrap_or((&text, ""));
    reads_text(schema);
    reads_text(query);
    let connection = limited();
    for statement in schema.split(';') {
        let _ = connection.execute_batch(statement);
    }
    let _ = connection.execute_batch(schema);
    let Ok(read) = Catalog::read(&connection) else { return };
    let again = Catalog::read(&connection).expect("what was read once");
    assert_eq!(difference::between(&read, &again), [], "a schema differs from itself");
    assert_eq!((Fingerprint::of(&read), read.describe()), (Fingerprint::of(&again), again.describe()));
    for index in read.indexes.values() {
        assert!(index.is_same(index) && !index.signature().is_empty());
    }
    if let Ok(plan) = QueryPlan::explain(&connection, query, []) {
        let _ = (plan.to_string(), plan.uses("i"), plan.index_used("i"));
    }
}

fn reads_text(sql: &str) {
    let tokens = token::tokens(sql);
    let _ = (token::parenthesised(&tokens), token::outside_parentheses(&tokens), token::split_list(&tokens));
    let canonical = token::canonical(sql);
    assert_eq!(token::canonical(&canonical), canonical, "canonical text is not canonical: {sql:?}");
    let _ = token::readable(&canonical);
    let name = token::name(sql);
    assert_eq!(token::tokens(&quoted(sql)).len(), 1, "a quoted name is more than one: {sql:?}");
    assert_eq!(token::tokens(&name).len(), 1, "a name is more than one: {sql:?}");
}

/// A database that no schema can keep busy for long.
fn limited() -> Connection {
    let mut connection = Connection::open_in_memory().expect("a database");
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 1 << 20).expect("a limit");
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).expect("a limit");
    connection.pragma_update(None, "max_page_count", 4096).expect("a limit");
    let mut steps = 0;
    let handler = move || {
        steps += 1;
        steps > STEPS
    };
    connection.progress_handler(1000, Some(handler)).expect("a limit");
    connection
}
