//! Migrations that are more than SQL in one transaction, compiled as an application's would be: for tests.

/// Steps in Rust: one that hashes, and drops what it hashed in the version after; one that reads only; one that fills a
/// search index.
pub mod rust {
    include!(concat!(env!("OUT_DIR"), "/rust.rs"));
}

/// What SQLite does only outside a transaction, between two ordinary versions.
pub mod outside {
    include!(concat!(env!("OUT_DIR"), "/outside.rs"));
}

/// A migration outside the transaction whose last statement fails on rows that are not unique.
pub mod broken {
    include!(concat!(env!("OUT_DIR"), "/broken.rs"));
}

/// The rebuild of a table that has children which go with it, and a view and triggers that name it.
pub mod rebuild {
    include!(concat!(env!("OUT_DIR"), "/rebuild.rs"));
}
