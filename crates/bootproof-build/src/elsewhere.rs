//! Where the migrations are, if not where somebody said: the directory of the project was named, or a usual one that it has not.

use std::collections::BTreeSet;
use std::path::Path;

use crate::source::{is_sql, list};

/// How tools call the directory of migrations.
const NAMES: [&str; 4] = ["migrations", "migration", "migrate", "drizzle"];
/// Where in a project they put it.
const PLACES: [&str; 9] = [
    "migrations",
    "db/migrations",
    "db/migrate",
    "database/migrations",
    "prisma/migrations",
    "drizzle",
    "sql/migrations",
    "src/migrations",
    "src/main/resources/db/migration",
];
/// What others wrote is not what somebody looks for.
const OF_OTHERS: [&str; 3] = ["node_modules", "target", "vendor"];
/// Of more nobody wants to read.
const MOST: usize = 3;

/// The directories of migrations among these files, the nearest first.
pub(crate) fn below(files: &[String]) -> Vec<String> {
    let found: BTreeSet<(usize, &str)> = files.iter().filter_map(|path| directory_of(path)).collect();
    found.into_iter().take(MOST).map(|(_, directory)| directory.to_owned()).collect()
}

/// The part of a path that is the directory of migrations, and how deep it is.
fn directory_of(path: &str) -> Option<(usize, &str)> {
    let mut end = 0;
    for (depth, name) in path.split('/').enumerate() {
        end += name.len();
        if OF_OTHERS.contains(&name) {
            return None;
        }
        let inside = path.get(end + 1..).filter(|inside| is_sql(inside));
        if let Some(inside) = inside.filter(|_| NAMES.contains(&name)) {
            // `drizzle/migrations/0001_a.sql`: the inner one.
            let deeper = directory_of(inside)
                .and_then(|(more, directory)| Some((depth + 1 + more, path.get(..end + 1 + directory.len())?)));
            return deeper.or_else(|| Some((depth, path.get(..end)?)));
        }
        end += 1;
    }
    None
}

/// The usual directories of migrations that a project has.
pub(crate) fn usual(project: &Path) -> Vec<String> {
    let has_sql = |place: &&&str| {
        let here = project.join(place);
        let inside = |name: &String| {
            is_sql(name) || list(&here.join(name)).is_ok_and(|names| names.iter().any(|name| is_sql(name)))
        };
        list(&here).is_ok_and(|names| names.iter().any(inside))
    };
    PLACES.iter().filter(has_sql).take(MOST).map(|place| (*place).to_owned()).collect()
}

/// What to do where they are in these directories.
pub(crate) fn help(directories: &[String]) -> String {
    match directories {
        [one] => format!("they are in `{one}`: name that directory"),
        several => format!("there are some in `{}`: name the one that is meant", several.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_the_one_that_holds_the_files_of_one_tool() {
        let found = |paths: &[&str]| below(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
        assert_eq!(found(&["a.sql", "src/a.rs", "migrations/README.md"]), [""; 0]);
        assert_eq!(found(&["db/migrations/1_a.sql", "db/migrations/2_b.sql"]), ["db/migrations"]);
        assert_eq!(found(&["prisma/migrations/2025_a/migration.sql"]), ["prisma/migrations"]);
        assert_eq!(found(&["drizzle/0000_a.sql"]), ["drizzle"]);
        assert_eq!(found(&["drizzle/migrations/0000_a.sql"]), ["drizzle/migrations"]);
        assert_eq!(found(&["node_modules/x/migrations/1_a.sql"]), [""; 0]);
        let four = ["b/c/migrations/1.sql", "a/migrations/1.sql", "b/migrations/1.sql", "migrations/1.sql"];
        assert_eq!(found(&four), ["migrations", "a/migrations", "b/migrations"]);
    }
}
