//! What is to happen to the operations of this thread.

use std::cell::RefCell;
use std::ffi::c_int;
use std::path::Path;

use rusqlite::ffi;

use crate::disk::{Disk, PowerCut};
use crate::fault::Injection;
use crate::operation::{Call, Step};

thread_local! {
    static PLAN: RefCell<Option<Plan>> = const { RefCell::new(None) };
}

#[expect(clippy::large_enum_variant, reason = "a thread has one")]
enum Plan {
    Observe { steps: Vec<Step> },
    Fail { injection: Injection, counted: u64, struck: Option<Step> },
    CutPower { disk: Disk, at: u64, counted: u64, cut: Option<PowerCut> },
}

/// Runs something and tells which operations it made.
pub fn observe<T>(run: impl FnOnce() -> T) -> (T, Vec<Step>) {
    match with_plan(Plan::Observe { steps: Vec::new() }, run) {
        (result, Some(Plan::Observe { steps })) => (result, steps),
        (result, _) => (result, Vec::new()),
    }
}

/// Runs something while an operation fails, and tells which was the first.
///
/// `None` where there were too few operations, or none that can fail in this way.
pub fn with_fault<T>(injection: Injection, run: impl FnOnce() -> T) -> (T, Option<Step>) {
    match with_plan(Plan::Fail { injection, counted: 0, struck: None }, run) {
        (result, Some(Plan::Fail { struck, .. })) => (result, struck),
        (result, _) => (result, None),
    }
}

/// Runs something whose database is in a directory, which must not be open, and cuts the power before the operation of
/// that number, from 1, has done more than begin: it and every later one fail. With fewer operations the power is cut
/// at the end, after everything has succeeded.
///
/// # Errors
///
/// Those of reading the directory.
pub fn with_power_cut<T>(directory: &Path, at: u64, run: impl FnOnce() -> T) -> std::io::Result<(T, PowerCut)> {
    let plan = Plan::CutPower { disk: Disk::read(directory)?, at, counted: 0, cut: None };
    match with_plan(plan, run) {
        (result, Some(Plan::CutPower { cut: Some(cut), .. })) => Ok((result, cut)),
        (result, Some(Plan::CutPower { disk, .. })) => Ok((result, disk.cut(None))),
        (_, _) => Err(std::io::Error::other("the plan is gone")),
    }
}

/// The plan ends also where `run` panics, so that no fault strikes whatever a test does then.
fn with_plan<T>(plan: Plan, run: impl FnOnce() -> T) -> (T, Option<Plan>) {
    struct Ending;
    impl Drop for Ending {
        fn drop(&mut self) {
            PLAN.take();
        }
    }
    PLAN.set(Some(plan));
    let ending = Ending;
    let result = run();
    let plan = PLAN.take();
    drop(ending);
    (result, plan)
}

/// Whether something is to happen.
pub(crate) fn is_active() -> bool {
    PLAN.try_with(|plan| plan.try_borrow().is_ok_and(|plan| plan.is_some())).unwrap_or(false)
}

/// Asks, before an operation is made, whether it is to fail.
pub(crate) fn before(call: &Call<'_>) -> Option<c_int> {
    // While a thread ends there is no plan any more.
    PLAN.try_with(|plan| plan.try_borrow_mut().ok()?.as_mut()?.before(call)).ok().flatten()
}

/// Tells that an operation was made.
pub(crate) fn after(call: &Call<'_>) {
    let _ = PLAN.try_with(|plan| {
        if let Ok(mut plan) = plan.try_borrow_mut()
            && let Some(Plan::CutPower { disk, .. }) = plan.as_mut()
        {
            disk.apply(call);
        }
    });
}

impl Plan {
    fn before(&mut self, call: &Call<'_>) -> Option<c_int> {
        match self {
            Self::Observe { steps } => {
                steps.push(call.step.clone());
                None
            }
            Self::Fail { injection, counted, struck } => {
                if injection.operation.is_some_and(|operation| operation != call.step.operation) {
                    return None;
                }
                *counted += 1;
                let is_due = *counted == injection.nth || (injection.lasting && *counted > injection.nth);
                let code = injection.fault.code(&call.step).filter(|_| is_due)?;
                struck.get_or_insert_with(|| call.step.clone());
                Some(code)
            }
            Self::CutPower { disk, at, counted, cut } => {
                *counted += 1;
                if *counted < *at {
                    disk.prepare(call);
                }
                if *counted == *at {
                    *cut = Some(disk.cut(Some(call)));
                }
                (*counted >= *at).then_some(ffi::SQLITE_IOERR)
            }
        }
    }
}
