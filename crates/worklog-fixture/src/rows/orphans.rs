//! Rows whose parent is gone, as the application leaves them when it deletes a team, a person or a client.

use rusqlite::Result;

use super::{CREATED, Target};

/// Far above every id in use: AUTOINCREMENT never gives the id of a deleted parent to another.
const DELETED: u32 = 900_000;

/// In turn a person of a deleted team, a leave of a deleted person and a project of a deleted client.
pub(crate) fn insert_orphans(target: &Target<'_>, count: usize) -> Result<()> {
    let mut users = target.insert_owned("users", "email, first_name, last_name, team_id, created_at, updated_at")?;
    let mut leaves = target.insert(
        "factorial_leaves",
        "factorial_leave_id, user_id, factorial_employee_id, leave_type_name, start_date, finish_date, status, data, \
         created_at, updated_at",
    )?;
    let mut projects = target.insert_owned("billing_projects", "client_id, name, created_at, updated_at")?;
    for number in 0..count {
        let serial = DELETED + u32::try_from(number).unwrap_or(u32::MAX - DELETED);
        match number % 3 {
            0 => {
                let email = format!("left.behind.{number}@alderwood.example");
                users.row(&[&email, &"Left", &"Behind", &serial, &CREATED, &CREATED])?;
            }
            1 => {
                let (from, to) = ("2024-08-12", "2024-08-16");
                leaves.row(&[
                    &serial,
                    &serial,
                    &serial,
                    &"Holiday",
                    &from,
                    &to,
                    &"approved",
                    &"{}",
                    &CREATED,
                    &CREATED,
                ])?;
            }
            _ => {
                let name = format!("Project of a former client {number}");
                projects.row(&[&serial, &name, &CREATED, &CREATED])?;
            }
        }
    }
    Ok(())
}
