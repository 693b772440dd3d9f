//! Every page damaged in every way.

use faulty_vfs::Random;

use super::damage::Damage;
use super::judgement::judge;
use super::page;
use super::shape::{Files, Shape};
use crate::tally::{Tally, share, spread};

/// Which bytes are flipped within a page.
const SEED: u64 = 1;

#[test]
fn of_a_database_to_be_adopted() {
    every_page(Shape::Unmanaged);
}

#[test]
fn of_a_database_at_head() {
    every_page(Shape::Current);
}

#[test]
fn of_a_database_with_a_log() {
    every_page(Shape::Logged);
}

#[test]
fn of_a_database_with_free_and_overflow_pages() {
    every_page(Shape::Freed);
}

#[test]
fn of_a_database_with_indexes_of_every_kind() {
    every_page(Shape::Varied);
}

#[test]
fn of_a_database_with_pointer_maps() {
    every_page(Shape::Mapped);
}

#[test]
fn of_a_database_with_the_smallest_pages() {
    every_page(Shape::Paged(512));
}

#[test]
fn of_a_database_with_the_largest_pages() {
    every_page(Shape::Paged(65_536));
}

fn every_page(shape: Shape) {
    let files = shape.make();
    let size = page::size(&files.database);
    let pages = files.database.len() / size;
    let mut tally = Tally::new(format!("pages of {shape:?}, seed {SEED}"));
    let mut random = Random::new(SEED);
    for (kind, numbers) in page::kinds(&files) {
        for number in spread(&numbers, share(1)) {
            let other = 1 + number % pages;
            let damages = Damage::all(&mut random, size, other);
            // The short form begins elsewhere with each page, so that all of them together meet every damage.
            let some: Vec<usize> = (0..damages.len()).map(|position| (position + number) % damages.len()).collect();
            for damage in spread(&some, share(2)).into_iter().map(|position| damages[position]) {
                let Some(database) = damage.of(&files.database, size, number) else { continue };
                let case = format!("{damage:?} of page {number} ({kind})");
                tally.count(&case, judge(&Files { database, ..files.clone() }));
            }
        }
    }
    tally.finish();
}
