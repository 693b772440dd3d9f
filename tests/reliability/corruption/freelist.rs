//! The list of free pages, wrong in every way that a list can be: <https://sqlite.org/fileformat2.html#the_freelist>.

use super::judgement::judge;
use super::page;
use super::shape::{Files, Shape};
use crate::tally::Tally;

/// Where the header has the number of the first page of the list, and how many pages are free.
const FIRST: usize = 32;
const COUNT: usize = 36;

/// Where a page of the list has the next one, how many it lists, and the first of them.
const NEXT: usize = 0;
const LENGTH: usize = 4;
const LISTED: usize = 8;

#[test]
fn of_a_database_with_free_pages() {
    let files = Shape::Freed.make();
    let size = page::size(&files.database);
    let [trunk, first, second, ..] = page::free(&files.database)[..] else { panic!("too few free pages") };
    let start = (trunk - 1) * size;
    let pages = files.database.len() / size;
    let (listed, all) = (number(&files.database, start + LENGTH), number(&files.database, COUNT));
    let used = (2..=pages).find(|page| !page::free(&files.database).contains(page)).expect("a page in use");
    let cases: [(&str, &[(usize, usize)]); 13] = [
        ("a page listed twice", &[(start + LISTED + 4, first)]),
        ("two pages exchanged", &[(start + LISTED, second), (start + LISTED + 4, first)]),
        ("a page in use listed", &[(start + LISTED, used)]),
        ("the schema listed", &[(start + LISTED, 1)]),
        ("the list in itself", &[(start + LISTED, trunk)]),
        ("no page listed", &[(start + LISTED, 0)]),
        ("a page behind the end listed", &[(start + LISTED, pages + 1)]),
        ("a list without an end", &[(start + NEXT, trunk)]),
        ("a list that goes on in a free page", &[(start + NEXT, first)]),
        ("a list that goes on in a page in use", &[(start + NEXT, used)]),
        ("more listed than fits", &[(start + LENGTH, size)]),
        ("a page forgotten", &[(start + LENGTH, listed - 1), (COUNT, all - 1)]),
        ("a list that begins in a page in use", &[(FIRST, used)]),
    ];
    let mut tally = Tally::new("the list of free pages".to_owned());
    for (case, changes) in cases {
        let mut database = files.database.clone();
        for &(at, value) in changes {
            database[at..at + 4].copy_from_slice(&u32::try_from(value).unwrap().to_be_bytes());
        }
        tally.count(case, judge(&Files { database, ..files.clone() }));
    }
    tally.finish();
}

fn number(database: &[u8], at: usize) -> usize {
    u32::from_be_bytes(database[at..at + 4].try_into().unwrap()) as usize
}
