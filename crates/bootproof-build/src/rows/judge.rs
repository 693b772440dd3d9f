//! What it means that rows differ: compares what a migration left with what it found.

use std::collections::BTreeMap;

use bootproof_catalog::catalog::Table;

use super::fill::primary_key;
use super::lineage::{Copy, Rebuild};
use super::survey::{Cell, Content};

/// Something that happened to the rows of a table, and that nothing in the migration asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A rebuild copies no row at all.
    NotCopied,
    /// A rebuild leaves rows out.
    Lost { cause: Cause },
    /// A rebuild does not copy a column; whether NULL stands there now, or a default.
    ColumnNotCopied { column: String, is_null: bool },
    /// A rebuild does not copy the key, and gives every row another one.
    Renumbered { column: String },
    /// Every value of a column is the column's name.
    NamedLiterally { column: String },
    /// The values of a column are those of another one.
    Moved { column: String, from: String },
}

/// Why a copy leaves rows out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It says so: WHERE, LIMIT, …
    Filter,
    /// A join without a partner for what has NULL in a column.
    JoinOnNull { column: String },
    /// Some other join.
    Join,
    /// Nothing in it says so.
    Unsaid,
}

/// What a rebuild did to a table's rows; `copies` are its statements that select from somewhere.
pub(super) fn rebuilt(
    table: &Table,
    was: &Content,
    is: &Content,
    rebuild: &Rebuild,
    copies: &[Copy],
    is_updated: impl Fn(&str) -> bool,
) -> Vec<Change> {
    if was.rows.is_empty() {
        return Vec::new();
    }
    if copies.is_empty() {
        // `DROP TABLE; CREATE TABLE` begins anew on purpose. Whoever renames a table in wanted to keep what was there.
        let is_forgotten = rebuild.copies.is_empty() && is.rows.is_empty() && rebuild.rename.is_some();
        return if is_forgotten { vec![Change::NotCopied] } else { Vec::new() };
    }
    let Pairs { pairs, lost } = pair(table, was, is);
    let mut changes = Vec::new();
    if !lost.is_empty() {
        changes.push(Change::Lost { cause: cause(was, &lost, copies) });
    }
    if pairs.is_empty() {
        return changes;
    }
    let common: Vec<Common> = was
        .columns
        .iter()
        .enumerate()
        .filter_map(|(at, name)| Some(Common { name, was: at, is: is.column(name)? }))
        .collect();
    let is_listed =
        |name: &String| copies.iter().any(|copy| copy.columns.as_ref().is_none_or(|columns| columns.contains(name)));
    let is_positional = copies.iter().any(|copy| copy.is_positional);
    for column in &common {
        let differs = |&(old, new): &(&Vec<Cell>, &Vec<Cell>)| old.get(column.was) != new.get(column.is);
        if is_updated(column.name) || !pairs.iter().any(differs) {
            continue;
        }
        let name = column.name.clone();
        let new_values = || pairs.iter().filter_map(|(_, new)| new.get(column.is));
        if !is_listed(column.name) && table.is_rowid_alias && primary_key(table).contains(column.name) {
            changes.push(Change::Renumbered { column: name });
        } else if !is_listed(column.name) {
            changes.push(Change::ColumnNotCopied { column: name, is_null: new_values().all(Option::is_none) });
        } else if new_values().flatten().count() == pairs.len()
            && new_values().flatten().all(|value| value.eq_ignore_ascii_case(column.name))
        {
            changes.push(Change::NamedLiterally { column: name });
        } else if let Some(from) = source(column, was, &pairs) {
            let is_swapped = common.iter().any(|other| {
                other.name == from && pairs.iter().all(|(old, new)| new.get(other.is) == old.get(column.was))
            });
            let reverse = Change::Moved { column: from.clone(), from: name.clone() };
            if (is_positional || is_swapped) && !changes.contains(&reverse) {
                changes.push(Change::Moved { column: name, from: from.clone() });
            }
        }
    }
    changes
}

/// A column that is there before and after.
struct Common<'a> {
    name: &'a String,
    was: usize,
    is: usize,
}

/// Rows before and after that are the same one, and those that are gone.
struct Pairs<'a> {
    pairs: Vec<(&'a Vec<Cell>, &'a Vec<Cell>)>,
    lost: Vec<&'a Vec<Cell>>,
}

/// By primary key; where that is of no use, in their order.
fn pair<'a>(table: &Table, was: &'a Content, is: &'a Content) -> Pairs<'a> {
    let key = primary_key(table);
    let positions = |content: &Content| key.iter().map(|name| content.column(name)).collect::<Option<Vec<_>>>();
    if let (Some(old_key), Some(new_key), false) = (positions(was), positions(is), key.is_empty()) {
        let key_of = |row: &'a Vec<Cell>, key: &[usize]| -> Vec<Option<&'a Cell>> {
            key.iter().map(|&at| row.get(at)).collect()
        };
        let new: BTreeMap<_, _> = is.rows.iter().map(|row| (key_of(row, &new_key), row)).collect();
        let partner = |row: &'a Vec<Cell>| new.get(&key_of(row, &old_key)).map(|&partner| (row, partner));
        let pairs: Vec<_> = was.rows.iter().filter_map(partner).collect();
        let lost: Vec<_> = was.rows.iter().filter(|row| partner(row).is_none()).collect();
        // As many rows as before with other keys are not fewer.
        if is.rows.len() < was.rows.len() || lost.is_empty() {
            return Pairs { pairs, lost };
        }
    }
    if is.rows.len() < was.rows.len() {
        // Which of them is gone nobody can tell.
        return Pairs { pairs: Vec::new(), lost: was.rows.iter().skip(is.rows.len()).collect() };
    }
    let is_same_number = is.rows.len() == was.rows.len();
    Pairs { pairs: was.rows.iter().zip(&is.rows).filter(|_| is_same_number).collect(), lost: Vec::new() }
}

fn cause(was: &Content, lost: &[&Vec<Cell>], copies: &[Copy]) -> Cause {
    if copies.iter().any(|copy| copy.is_filtered) {
        return Cause::Filter;
    }
    if !copies.iter().any(|copy| copy.is_joined) {
        return Cause::Unsaid;
    }
    let is_lost = |row: &Vec<Cell>| lost.contains(&row);
    let decides = |at: &usize| was.rows.iter().all(|row| is_lost(row) == row.get(*at).is_some_and(Option::is_none));
    let column = (0..was.columns.len()).find(decides).and_then(|at| was.columns.get(at));
    column.map_or(Cause::Join, |column| Cause::JoinOnNull { column: column.clone() })
}

/// The other column whose values stand in a column now.
fn source<'a>(column: &Common<'_>, was: &'a Content, pairs: &[(&Vec<Cell>, &Vec<Cell>)]) -> Option<&'a String> {
    let is_source = |at: usize| {
        at != column.was
            && pairs.iter().all(|(old, new)| new.get(column.is) == old.get(at))
            && pairs.iter().any(|(old, _)| old.get(at).is_some_and(Option::is_some))
    };
    (0..was.columns.len()).find(|&at| is_source(at)).and_then(|at| was.columns.get(at))
}

/// What foreign keys do to a table where they are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Deleted,
    Nulled { column: String },
    Changed { column: String },
}

/// What differs between a migration with foreign keys off and on, and can be their doing: other columns, and keys that the
/// migration itself makes, may hold the time or a random number.
pub(super) fn actions(table: &Table, off: &Content, on: &Content) -> Vec<Action> {
    if on.rows.len() < off.rows.len() {
        return vec![Action::Deleted];
    }
    if on.rows.len() != off.rows.len() {
        return Vec::new();
    }
    let mut actions = Vec::new();
    let refers = |column: &String| table.foreign_keys.iter().any(|key| key.columns.contains(column));
    for (at, column) in off.columns.iter().enumerate().filter(|(_, column)| refers(column)) {
        let mut changed = off.values(at).zip(on.values(at)).filter(|(off, on)| off != on).peekable();
        if let Some((_, first)) = changed.peek() {
            let column = column.clone();
            if first.is_none() {
                actions.push(Action::Nulled { column });
            } else if takes_default(table, &column) {
                actions.push(Action::Changed { column });
            }
        }
    }
    actions
}

fn takes_default(table: &Table, column: &String) -> bool {
    let mut keys = table.foreign_keys.iter().filter(|key| key.columns.contains(column));
    keys.any(|key| [&key.on_delete, &key.on_update].iter().any(|action| action.eq_ignore_ascii_case("set default")))
}
