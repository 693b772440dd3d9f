//! Files, paths and schemas that somebody made to mislead: each ends in time, with an honest exit code, and nothing of
//! anybody else's is touched, run or shown to a terminal as it is.

mod binary;

// Where the database is, and what lies beside it.
mod beside;
mod paths;
mod permissions;

// What is in it.
mod many;
mod names;
mod schemas;
