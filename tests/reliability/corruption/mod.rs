//! Every page, every field and every file beside a database, damaged in turn: what SQLite finds or cannot even open is refused
//! as damage and not made worse; what it finds nothing wrong with loses no row.

// What is damaged, and how.
mod damage;
mod page;
mod shape;

// What must become of it.
mod judgement;

// The damages.
mod backups;
mod freelist;
mod header;
mod indexes;
mod logs;
mod pages;
mod records;
