//! Migrations in the layouts of other tools, compiled as an application's would be: for tests.

use bootproof::compiled::Compiled;
use bootproof::testing::Sample;
use bootproof::{Schema, Source};
use include_dir::Dir;

/// The name of a dialect, what its directory compiled to, and the directory itself.
type Layout = (&'static str, &'static Compiled, &'static Dir<'static>);

include!(concat!(env!("OUT_DIR"), "/layouts.rs"));

/// A schema for every dialect but our own.
#[must_use]
pub fn schemas() -> Vec<Schema> {
    LAYOUTS.iter().map(|(name, compiled, files)| Schema::new(name, compiled).with_sources(sources(files))).collect()
}

#[allow(unreachable_pub, reason = "generated for a public module")]
mod many {
    include!(concat!(env!("OUT_DIR"), "/many.rs"));
}

/// A schema of our own layout with more than thirty migrations, and the rows that the compiler made up for it.
#[must_use]
pub fn many() -> (Schema, Vec<Sample>) {
    let samples: &[Sample] = include!(concat!(env!("OUT_DIR"), "/many_samples.rs"));
    (Schema::new("many", &many::COMPILED), samples.to_vec())
}

/// Every file of a directory tree.
fn sources(directory: &'static Dir<'static>) -> Vec<Source> {
    let files =
        directory.files().filter_map(|file| Some(Source { path: file.path().to_str()?, bytes: file.contents() }));
    files.chain(directory.dirs().flat_map(sources)).collect()
}
