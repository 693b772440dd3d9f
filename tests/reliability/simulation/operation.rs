//! What can happen.

use faulty_vfs::{Fault, Injection, Random};
use worklog_schema::HEAD;

/// Something that is asked of the engine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// A binary of that head boots.
    Boot {
        release: i64,
        backup: bool,
    },
    Revert {
        to: i64,
    },
    BackUp,
    Prune {
        keep: usize,
    },
    /// One of the backups, counted from the oldest and around.
    Restore {
        backup: usize,
    },
}

/// Somebody else of this process who has the database open.
#[derive(Clone, Copy, Debug)]
pub(super) enum Other {
    /// Has read, and may again.
    Idle,
    /// Is reading.
    Reader,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Work(Work),
    /// The power goes at that operation of SQLite's; the seed is that of the disk.
    Crash(Work, u64, u64),
    /// An operation of SQLite's fails.
    Fail(Work, Injection),
    /// It is called off when the step of that number begins.
    CallOff(Work, usize),
    Beside(Other, Work),
    /// Two binaries boot at the same time.
    Crowd {
        release: i64,
    },
    /// The application writes rows.
    Write {
        seed: u64,
    },
    /// The application changes the journal mode.
    SwitchJournal,
    /// Somebody drops an index.
    DropIndex,
    /// Some bytes of a page are not what they were; then somebody restores the newest backup.
    Corrupt {
        seed: u64,
    },
}

impl Operation {
    pub(super) fn random(random: &mut Random) -> Self {
        match random.below(28) {
            0..5 => Self::Work(Work::random(random)),
            5..10 => Self::Crash(Work::random_but_restore(random), 1 + random_position(random), random.below(1 << 16)),
            10..13 => Self::Fail(Work::random(random), injection(random)),
            13..16 => Self::CallOff(Work::random(random), usize::try_from(random.below(20)).unwrap()),
            16..19 => {
                let other = if random.coin() { Other::Idle } else { Other::Reader };
                Self::Beside(other, Work::random(random))
            }
            19..21 => Self::Crowd { release: random_version(random) },
            21..24 => Self::Write { seed: random.below(1 << 32) },
            24 => Self::SwitchJournal,
            25 => Self::DropIndex,
            _ => Self::Corrupt { seed: random.below(1 << 32) },
        }
    }
}

impl Work {
    fn random(random: &mut Random) -> Self {
        if random.one_in(6) {
            Self::Restore { backup: usize::try_from(random.below(8)).unwrap() }
        } else {
            Self::random_but_restore(random)
        }
    }

    /// The simulated disk knows nothing of files that are renamed: a restore is killed elsewhere.
    fn random_but_restore(random: &mut Random) -> Self {
        match random.below(11) {
            0..5 => Self::Boot { release: random_version(random), backup: !random.one_in(4) },
            5..9 => Self::Revert { to: i64::try_from(random.below(u64::try_from(HEAD).unwrap() + 1)).unwrap() },
            9 => Self::BackUp,
            _ => Self::Prune { keep: 1 + usize::try_from(random.below(3)).unwrap() },
        }
    }
}

fn random_version(random: &mut Random) -> i64 {
    // Most binaries are of today.
    if random.one_in(3) { i64::try_from(random.below(u64::try_from(HEAD).unwrap())).unwrap() } else { HEAD }
}

/// Early ones as often as late ones, whose number nobody knows beforehand; any; or the one after the last.
fn random_position(random: &mut Random) -> u64 {
    match random.below(3) {
        0 => {
            let magnitude = random.below(10);
            random.below(1 << magnitude)
        }
        1 => random.below(500),
        _ => 1 << 32,
    }
}

fn injection(random: &mut Random) -> Injection {
    let fault = Fault::ALL[usize::try_from(random.below(Fault::ALL.len() as u64)).unwrap()];
    Injection { fault, operation: None, nth: 1 + random.below(400), lasting: random.coin() }
}
