//! What is compared: phases, their cases, and in each case the contenders.

use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::memory;
use crate::scene::Scene;

/// One thing that a boot does.
#[derive(Debug)]
pub struct Phase {
    /// Its name on the command line and in the page.
    pub name: &'static str,
    /// The same for people.
    pub title: &'static str,
    /// What is measured, in a sentence or two.
    pub about: &'static str,
    /// Whether it takes longer with more rows.
    pub grows: bool,
    /// What it is measured on.
    pub cases: Vec<Case>,
}

/// One comparison.
#[derive(Debug)]
pub struct Case {
    /// Its name within the phase.
    pub name: String,
    /// Ours first; the others are measured beside it.
    pub contenders: Vec<Contender>,
    /// How often it is measured.
    pub pace: Pace,
}

/// How long one measurement takes, and so how many there can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Milliseconds, noisy: five times as many.
    Quick,
    /// Up to minutes.
    Long,
}

/// What a contender does.
pub type Act<T> = Box<dyn Fn(&Scene) -> Result<T>>;

/// One way to do the work of a case.
pub struct Contender {
    /// Who does it.
    pub name: String,
    /// What is to be there before; not measured.
    pub prepare: Act<()>,
    /// The work, in a process of its own.
    pub measure: Act<Measured>,
    /// What is aimed at: of ours in absolute terms, of the others by how ours compares.
    pub goals: Vec<Goal>,
}

/// What is aimed at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Ours takes at most so much of the time of this one.
    Ratio(f64),
    /// This takes at most so long.
    Time(Duration),
    /// This needs less memory than so many bytes.
    Memory(u64),
    /// The query looks at no row that it does not return.
    VisitsOnlyWhatItReturns,
}

/// What a query looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visits {
    /// Entries of the index.
    pub visited: u64,
    /// Rows of the result.
    pub returned: u64,
}

/// What a measuring process found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    /// How long it took.
    pub took: Duration,
    /// The most memory the process had.
    pub peak_bytes: Option<u64>,
    /// Where the time went, in milliseconds, where the engine told it.
    #[serde(default)]
    pub steps: Vec<(String, f64)>,
    /// What a query looked at, where that was counted.
    #[serde(default)]
    pub visits: Option<Visits>,
    /// What else is to be known about the figure.
    #[serde(default)]
    pub note: Option<String>,
}

impl Contender {
    /// One that needs nothing to be there.
    pub fn new(name: impl Into<String>, measure: impl Fn(&Scene) -> Result<Measured> + 'static) -> Self {
        Self { name: name.into(), prepare: Box::new(|_| Ok(())), measure: Box::new(measure), goals: Vec::new() }
    }

    /// Makes this before every measurement.
    #[must_use]
    pub fn after(self, prepare: impl Fn(&Scene) -> Result<()> + 'static) -> Self {
        Self { prepare: Box::new(prepare), ..self }
    }

    /// Adds what is aimed at.
    #[must_use]
    pub fn aims_at(mut self, goal: Goal) -> Self {
        self.goals.push(goal);
        self
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).field("goals", &self.goals).finish_non_exhaustive()
    }
}

impl Measured {
    /// Times the work; the memory is what the process had at most until now, and so is to be asked at the end.
    pub fn of<T>(work: impl FnOnce() -> Result<T>) -> Result<(Self, T)> {
        let start = Instant::now();
        let done = work()?;
        let took = start.elapsed();
        Ok((Self { took, peak_bytes: memory::of_this_process(), ..Self::default() }, done))
    }

    /// Times what other programs do.
    pub fn of_programs(work: impl FnOnce() -> Result<()>) -> Result<Self> {
        let (measured, ()) = Self::of(work)?;
        Ok(Self { peak_bytes: memory::of_children(), ..measured })
    }

    /// The median of many, in one process that has done it before.
    pub fn of_many(times: usize, mut work: impl FnMut() -> Result<()>) -> Result<Self> {
        work()?;
        let mut all = Vec::with_capacity(times);
        for _ in 0..times {
            let start = Instant::now();
            work()?;
            all.push(start.elapsed());
        }
        all.sort();
        let took = all.get(times / 2).copied().unwrap_or_default();
        Ok(Self { took, peak_bytes: memory::of_this_process(), ..Self::default() })
    }
}
