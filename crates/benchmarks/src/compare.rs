//! Measuring in turn: every contender once, then every contender again, each in a process of its own.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cache::SCRATCH;
use crate::phase::{Case, Measured, Pace, Phase};
use crate::phases;
use crate::scene::Scene;
use crate::{Result, at};

/// The first argument of a process that measures one contender.
pub const MEASURE: &str = "measure";

/// A quick case is measured so many times as often.
const MORE: usize = 5;

/// How many turns a case gets of a comparison with so many runs.
#[must_use]
pub fn turns(case: &Case, runs: usize) -> usize {
    if case.pace == Pace::Quick { runs * MORE } else { runs }
}

/// Everything that was measured of one case: a series for each contender, all of one length.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The turns of each contender, in the order of the case.
    pub series: Vec<Series>,
}

/// The measurements of one contender.
#[derive(Clone, Debug)]
pub struct Series {
    /// Who.
    pub name: String,
    /// One for each turn.
    pub measured: Vec<Measured>,
}

/// Compares the contenders of a case, in so many turns.
///
/// # Errors
///
/// The first measurement that fails stops the comparison.
pub fn compare(program: &Path, scene: &Scene, phase: &Phase, case: &Case, turns: usize) -> Result<Comparison> {
    let mut series: Vec<Series> =
        case.contenders.iter().map(|known| Series { name: known.name.clone(), measured: Vec::new() }).collect();
    fs::create_dir_all(&scene.cache).map_err(|error| at(&scene.cache, &error))?;
    // Beside the databases: on the disk that they are on.
    let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&scene.cache)?;
    let scene = Scene { scratch: scratch.path().to_owned(), ..scene.clone() };
    for turn in 0..turns {
        // Another one begins every time: what follows whom is part of the noise, and no advantage.
        let begins = turn % case.contenders.len().max(1);
        let order = (begins..case.contenders.len()).chain(0..begins);
        for position in order {
            if let (Some(contender), Some(series)) = (case.contenders.get(position), series.get_mut(position)) {
                (contender.prepare)(&scene)?;
                series.measured.push(measure_elsewhere(program, &scene, phase.name, &case.name, &contender.name)?);
            }
        }
    }
    Ok(Comparison { series })
}

fn measure_elsewhere(program: &Path, scene: &Scene, phase: &str, case: &str, contender: &str) -> Result<Measured> {
    let told = serde_json::to_string(scene)?;
    let failed = |error| at(program, &error);
    let answer = Command::new(program).args([MEASURE, &told, phase, case, contender]).output().map_err(failed)?;
    if answer.status.success() {
        Ok(serde_json::from_slice(&answer.stdout)?)
    } else {
        let why = String::from_utf8_lossy(&answer.stderr);
        Err(format!("{phase}, {case}, {contender}: {}", why.trim()).into())
    }
}

/// What such a process does: the arguments after [`MEASURE`] in, one line of JSON out.
///
/// # Errors
///
/// Arguments that name no contender, and whatever its work ends with.
pub fn measure_here(arguments: &[String]) -> Result<String> {
    let [told, phase, case, contender] = arguments else { return Err("not a measurement".into()) };
    let scene: Scene = serde_json::from_str(told)?;
    let contender = phases::contender(&scene, phase, case, contender).ok_or("no such contender")?;
    Ok(serde_json::to_string(&(contender.measure)(&scene)?)?)
}

impl Series {
    /// The median time.
    #[must_use]
    pub fn median(&self) -> Duration {
        median(self.times()).unwrap_or_default()
    }

    /// The shortest and the longest time.
    #[must_use]
    pub fn range(&self) -> (Duration, Duration) {
        (self.times().min().unwrap_or_default(), self.times().max().unwrap_or_default())
    }

    /// The most memory of any turn.
    #[must_use]
    pub fn peak_bytes(&self) -> Option<u64> {
        self.measured.iter().filter_map(|measured| measured.peak_bytes).max()
    }

    /// The turn with the median time, or of two in the middle the shorter one.
    #[must_use]
    pub fn typical(&self) -> Option<&Measured> {
        let mut turns: Vec<&Measured> = self.measured.iter().collect();
        turns.sort_by_key(|measured| measured.took);
        turns.get(turns.len().saturating_sub(1) / 2).copied()
    }

    /// How long this takes for every second of the other: the median over the turns, in each of which the two follow one
    /// another, so that a machine that becomes slower meanwhile does not count.
    #[must_use]
    pub fn ratio_to(&self, other: &Self) -> Option<f64> {
        let pairs = self.times().zip(other.times());
        let mut ratios: Vec<f64> =
            pairs.filter(|(_, other)| !other.is_zero()).map(|(own, other)| own.div_duration_f64(other)).collect();
        ratios.sort_by(f64::total_cmp);
        let (low, high) = middle(&ratios)?;
        Some(f64::midpoint(low, high))
    }

    fn times(&self) -> impl Iterator<Item = Duration> {
        self.measured.iter().map(|measured| measured.took)
    }
}

fn median(times: impl Iterator<Item = Duration>) -> Option<Duration> {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    let (low, high) = middle(&times)?;
    Some(low + high.saturating_sub(low) / 2)
}

/// What stands in the middle, twice where there is one.
fn middle<T: Copy>(sorted: &[T]) -> Option<(T, T)> {
    let last = sorted.len().checked_sub(1)?;
    Some((*sorted.get(last / 2)?, *sorted.get(sorted.len() / 2)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(milliseconds: &[u64]) -> Series {
        let measured = |ms: &u64| Measured { took: Duration::from_millis(*ms), ..Measured::default() };
        Series { name: String::new(), measured: milliseconds.iter().map(measured).collect() }
    }

    #[test]
    fn a_ratio_is_of_neighbours_in_time() {
        let (ours, other) = (series(&[10, 20, 40]), series(&[20, 40, 80]));
        assert_eq!(ours.ratio_to(&other), Some(0.5));
        assert_eq!(ours.median(), Duration::from_millis(20));
        assert_eq!(ours.range(), (Duration::from_millis(10), Duration::from_millis(40)));
    }

    #[test]
    fn of_two_in_the_middle_the_mean_counts() {
        let (ours, other) = (series(&[30, 10]), series(&[100, 100]));
        assert_eq!(ours.median(), Duration::from_millis(20));
        assert_eq!(ours.ratio_to(&other), Some(0.2));
        assert_eq!(ours.typical().unwrap().took, Duration::from_millis(10));
    }

    #[test]
    fn nothing_is_compared_with_nothing() {
        assert_eq!(series(&[]).ratio_to(&series(&[])), None);
        assert_eq!(series(&[1]).ratio_to(&series(&[0])), None);
    }
}
