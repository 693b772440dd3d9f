//! The phases of a boot, one file each, in the order of the page.

mod backup;
mod build;
mod contracts;
mod current_boot;
mod fresh;
mod indexes;
mod integrity;
mod migrating_boot;
mod nothing_to_do;

use bootproof::{BootReport, Failure, Options};

use crate::phase::{Case, Contender, Phase};
use crate::scene::Scene;

/// Every phase. Building the list does nothing: a measuring process builds it too, and has to find its one contender
/// before anything of what it measures has happened.
#[must_use]
pub fn all(scene: &Scene) -> Vec<Phase> {
    vec![
        nothing_to_do::phase(scene),
        fresh::phase(),
        integrity::phase(scene),
        backup::phase(scene),
        indexes::phase(scene),
        migrating_boot::phase(scene),
        current_boot::phase(),
        contracts::phase(),
        build::phase(),
    ]
}

/// The contender of that name.
#[must_use]
pub fn contender(scene: &Scene, phase: &str, case: &str, name: &str) -> Option<Contender> {
    let phase = all(scene).into_iter().find(|known| known.name == phase)?;
    let case: Case = phase.cases.into_iter().find(|known| known.name == case)?;
    case.contenders.into_iter().find(|known| known.name == name)
}

/// What a boot does by default, whatever the environment of the comparison says.
fn options() -> Options {
    Options { environment: false, ..Options::default() }
}

/// Where the time of a boot went.
fn steps(report: &BootReport) -> Vec<(String, f64)> {
    report.timeline.iter().map(|step| (step.step.clone(), step.duration_ms.0)).collect()
}

/// A refusal with its reason, for a comparison that stops there.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn refused(failure: Failure) -> String {
    format!("the engine refused: {}", failure.error)
}
