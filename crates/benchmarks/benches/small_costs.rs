//! The small costs, one by one: `cargo bench -p benchmarks`.
#![allow(clippy::unwrap_used, reason = "a benchmark that fails stops")]

use std::hint::black_box;

use bootproof::{Boot, Integrity, Options};
use bootproof_catalog::{Catalog, Fingerprint};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use worklog_schema::SCHEMA;

fn options() -> Options {
    Options { integrity: Integrity::Off, environment: false, ..Options::default() }
}

fn boot_with_nothing_to_do(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worklog.db");
    Boot::new(&SCHEMA, &path).run().unwrap();
    criterion.bench_function("boot with nothing to do, integrity off", |bencher| {
        bencher.iter(|| Boot::new(&SCHEMA, &path).options(options()).run().unwrap());
    });
}

fn fresh_on_disk(criterion: &mut Criterion) {
    criterion.bench_function("fresh on disk", |bencher| {
        bencher.iter_batched(
            || tempfile::tempdir().unwrap(),
            |directory| {
                Boot::new(&SCHEMA, directory.path().join("worklog.db")).options(options()).run().unwrap();
                directory
            },
            BatchSize::PerIteration,
        );
    });
}

fn fresh_in_memory(criterion: &mut Criterion) {
    criterion.bench_function("fresh in memory", |bencher| bencher.iter(|| worklog_schema::fresh().unwrap()));
}

fn fingerprint(criterion: &mut Criterion) {
    let connection = worklog_schema::fresh().unwrap();
    criterion.bench_function("reading the catalog", |bencher| bencher.iter(|| Catalog::read(&connection).unwrap()));
    let catalog = Catalog::read(&connection).unwrap();
    criterion.bench_function("fingerprint of the catalog", |bencher| {
        bencher.iter(|| Fingerprint::of(black_box(&catalog)));
    });
}

criterion_group!(small_costs, boot_with_nothing_to_do, fresh_on_disk, fresh_in_memory, fingerprint);
criterion_main!(small_costs);
