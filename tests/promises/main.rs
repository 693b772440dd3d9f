//! What the crate promises, one file a promise, on real files, through the public API and the real binary.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]

mod support;

mod adopts_an_unmanaged_database;
mod answers_the_operator;
mod backs_up;
mod boots_a_fleet;
mod boots_a_fresh_database;
mod can_be_called_off;
mod does_nothing_when_current;
mod goes_back;
mod holds_migrations_back;
mod lets_one_process_migrate;
mod makes_names_unique_per_company;
mod migrates_an_open_connection;
mod proves_every_upgrade;
mod refuses_a_history_it_cannot_continue;
mod refuses_another_structure;
mod refuses_damage;
mod refuses_when_the_environment_forbids;
mod repairs_and_tolerates;
mod restores;
mod rolls_out_beside_older_programs;
mod says_how_far_it_is;
mod seals;
mod tells_its_health;
mod upgrades_a_managed_database;
