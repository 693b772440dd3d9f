//! What a test covered, and what went wrong.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use faulty_vfs::{Operation, Step};

/// How many failures are told.
const TOLD: usize = 12;

/// How many operations of a kind are taken: `RELIABILITY=long` takes all, `RELIABILITY=50` at most fifty of each, spread evenly.
pub(crate) fn share(short: usize) -> usize {
    match std::env::var("RELIABILITY") {
        Ok(form) if form == "long" => usize::MAX,
        Ok(form) => form.parse().expect("`long`, or how many of each kind"),
        Err(_) => short,
    }
}

/// The numbers of the operations to take, from 1: of each kind and file as many as the share, the first and the last among
/// them, or the one in the middle.
pub(crate) fn chosen(steps: &[Step], share: usize, fits: impl Fn(&Step) -> bool) -> Vec<usize> {
    let mut groups: BTreeMap<(Operation, &str), Vec<usize>> = BTreeMap::new();
    for (position, step) in steps.iter().enumerate().filter(|(_, step)| fits(step)) {
        // The names of files in progress end in something random.
        let file = ["in-progress-", ".new-"].iter().find_map(|infix| step.file.split_once(infix));
        groups.entry((step.operation, file.map_or(&*step.file, |(name, _)| name))).or_default().push(position + 1);
    }
    let mut chosen: Vec<usize> = groups.values().flat_map(|group| spread(group, share)).collect();
    chosen.sort_unstable();
    chosen
}

/// How many rows: `RELIABILITY_ROWS=100000` says it.
pub(crate) fn size(short: usize, long: usize) -> usize {
    let usual = if std::env::var_os("RELIABILITY").is_some() { long } else { short };
    std::env::var("RELIABILITY_ROWS").map_or(usual, |rows| rows.parse().expect("how many rows"))
}

/// The seeds of random cases: `RELIABILITY=50` takes fifty, `RELIABILITY_SEED=7` begins with the seventh and by itself takes no
/// other.
pub(crate) fn seeds(short: u64, long: u64) -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    let count = match share(usize::try_from(short).unwrap()) {
        usize::MAX => long,
        count => count as u64,
    };
    match number("RELIABILITY_SEED") {
        Some(seed) if std::env::var_os("RELIABILITY").is_none() => seed..seed + 1,
        first => first.unwrap_or(1)..first.unwrap_or(1) + count,
    }
}

/// So many of them, spread evenly: the first and the last among them, or the one in the middle.
pub(crate) fn spread<T: Copy>(group: &[T], share: usize) -> Vec<T> {
    match share.min(group.len()) {
        0 | 1 => vec![group[group.len() / 2]],
        share => (0..share).map(|pick| group[pick * (group.len() - 1) / (share - 1)]).collect(),
    }
}

/// Counts cases by what became of them.
pub(crate) struct Tally {
    name: String,
    start: Instant,
    outcomes: BTreeMap<String, usize>,
    failures: Vec<String>,
}

impl Tally {
    pub(crate) fn new(name: String) -> Self {
        Self { name, start: Instant::now(), outcomes: BTreeMap::new(), failures: Vec::new() }
    }

    /// One case: what became of it, or how it broke a promise.
    pub(crate) fn count(&mut self, case: &str, outcome: Result<String, String>) {
        match outcome {
            Ok(outcome) => *self.outcomes.entry(outcome).or_default() += 1,
            Err(problem) => self.failures.push(format!("{case}: {problem}")),
        }
    }

    /// Says what was covered, and fails if a promise was broken or nothing was tried.
    pub(crate) fn finish(self) {
        let cases = self.outcomes.values().sum::<usize>() + self.failures.len();
        println!("{}: {cases} cases in {:.1} s", self.name, self.start.elapsed().as_secs_f64());
        for (outcome, count) in &self.outcomes {
            println!("  {count:>6} {outcome}");
        }
        let told: Vec<&str> = self.failures.iter().take(TOLD).map(String::as_str).collect();
        assert!(
            self.failures.is_empty(),
            "{} of {cases} cases of {}:\n  {}",
            self.failures.len(),
            self.name,
            told.join("\n  ")
        );
        assert!(cases > 0, "no case of {}", self.name);
    }
}
