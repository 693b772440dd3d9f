//! Histories of any length: the directory that an application of that age would have. The build script has this file too.

/// How long the histories are that the build compiles. The longest takes the compiler minutes: whoever measures asks for it.
pub const LENGTHS: &[usize] = if cfg!(feature = "two-thousand") { &[5, 200, 2_000] } else { &[5, 200] };

/// How long the history is of which all but the [`EARLIEST`] migrations correct rows.
pub const CORRECTED: usize = 200;
/// How many migrations make the schema there.
pub const EARLIEST: usize = 5;

/// The names and texts of so many migrations: of every ten, one makes a table, five add a column, four index it.
#[must_use]
pub fn files(length: usize) -> Vec<(String, String)> {
    (1..=length).map(|version| (format!("{version:04}_{}.sql", title(version)), statement(version))).collect()
}

/// So many migrations that end in the schema of the first few: the rest correct rows, as years of them do in an application.
#[must_use]
pub fn corrections(length: usize, first: usize) -> Vec<(String, String)> {
    let correction = |version| {
        let name = format!("{version:04}_correct_customers_{version}.sql");
        (name, format!("UPDATE orders_1 SET customer = trim(customer) WHERE id % {length} = {version};\n"))
    };
    files(first.min(length)).into_iter().chain((first + 1..=length).map(correction)).collect()
}

fn title(version: usize) -> String {
    let (table, step) = place(version);
    match step {
        1 => format!("create_orders_{table}"),
        step if step % 2 == 0 => format!("add_note_{step}_to_orders_{table}"),
        step => format!("index_note_{}_of_orders_{table}", step - 1),
    }
}

fn statement(version: usize) -> String {
    let (table, step) = place(version);
    match step {
        1 => format!(
            "CREATE TABLE orders_{table} (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL);\n"
        ),
        step if step % 2 == 0 => format!("ALTER TABLE orders_{table} ADD COLUMN note_{step} TEXT;\n"),
        step => {
            let note = step - 1;
            format!("CREATE INDEX idx_orders_{table}_note_{note} ON orders_{table} (note_{note}, placed);\n")
        }
    }
}

/// The table that a version is about, and which of its ten steps it is.
fn place(version: usize) -> (usize, usize) {
    ((version - 1) / 10 + 1, (version - 1) % 10 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_history_is_the_beginning_of_the_next() {
        let (short, long) = (files(5), files(200));
        assert_eq!(short, long[..5]);
        assert_eq!(long[19].0, "0020_add_note_10_to_orders_2.sql");
        let corrected = corrections(CORRECTED, EARLIEST);
        assert_eq!((corrected.len(), &corrected[..EARLIEST]), (CORRECTED, &long[..EARLIEST]));
    }
}
