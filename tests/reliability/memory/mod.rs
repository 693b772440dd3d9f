mod alone;
mod failing_allocations;
mod heap_limits;
mod peak;

use std::panic::{AssertUnwindSafe, catch_unwind};

use worklog_schema::bootproof::{BootReport, Error, Failure};

use crate::proof::{Expected, prove};
use crate::scene::{Scene, Stage, Work};

/// Runs one boot that is short of memory, and tells what became of it, or what it must not leave behind.
fn fails_well(
    scene: &Scene,
    stage: &Stage,
    boot: impl FnOnce() -> Result<BootReport, Failure>,
) -> Result<String, String> {
    let result = catch_unwind(AssertUnwindSafe(boot)).map_err(|_| "the boot panicked".to_owned())?;
    let (expected, told) = match &result {
        Ok(report) => (Expected::New, format!("{:?}", report.verdict).to_lowercase()),
        Err(failure) if failure.exit_code() != 8 => {
            return Err(format!("exit code {}: {failure}", failure.exit_code()));
        }
        Err(failure) => {
            let is_open = matches!(failure.error, Error::CommitUncertain { .. }) || scene.work == Work::Create;
            let expected = if is_open { Expected::Either } else { Expected::Old };
            (expected, format!("`{}`", failure.error.kind()))
        }
    };
    let found = prove(scene, stage, expected).map_err(|problem| format!("{told}; {problem}"))?;
    Ok(format!("{told}, {found:?}"))
}
