//! Leaves, as Factorial reports them, and holidays.

use rusqlite::{Result, ToSql};

use super::organisation::Organisation;
use super::{CREATED, Target};
use crate::calendar;
use crate::random::Random;

const LEAVES_PER_PERSON: u32 = 15;
const TYPES: [&str; 3] = ["Holiday", "Sick leave", "Paid leave"];
const HOLIDAYS: [(&str, u32, u32); 10] = [
    ("New Year's Day", 1, 1),
    ("Epiphany", 1, 6),
    ("Liberation Day", 4, 25),
    ("Labour Day", 5, 1),
    ("Republic Day", 6, 2),
    ("Assumption", 8, 15),
    ("All Saints", 11, 1),
    ("Immaculate Conception", 12, 8),
    ("Christmas", 12, 25),
    ("Saint Stephen", 12, 26),
];

pub(super) fn insert(target: &Target<'_>, organisation: &Organisation) -> Result<()> {
    let mut config = target.insert_owned("factorial_config", "api_key, created_at, updated_at")?;
    for company in &organisation.companies {
        config.owned_row(company.id, &[&"not-a-key", &CREATED, &CREATED])?;
    }
    let mut accounts = target
        .insert("user_factorial_accounts", "user_id, factorial_employee_id, factorial_email, created_at, updated_at")?;
    for user in organisation.users() {
        accounts.row(&[&user.id, &employee(user.id), &user.email, &CREATED, &CREATED])?;
    }
    insert_leaves(target, organisation)?;
    insert_holidays(target)?;
    let mut syncs = target.insert(
        "factorial_sync_history",
        "start_date, end_date, leaves_synced, leaves_updated, started_at, completed_at",
    )?;
    for week in 0..50 {
        let day = calendar::LAST.minus(7 * week);
        let (from, to) = (day.minus(30).to_string(), day.to_string());
        let (start, end) = (format!("{day} 03:00:00"), format!("{day} 03:00:20"));
        syncs.row(&[&from, &to, &(week % 7), &(week % 3), &start, &end])?;
    }
    Ok(())
}

fn employee(user_id: u32) -> u32 {
    700_000 + user_id
}

fn insert_leaves(target: &Target<'_>, organisation: &Organisation) -> Result<()> {
    let mut random = Random::new(target.seed, "leaves");
    let mut leaves = target.insert(
        "factorial_leaves",
        "factorial_leave_id, user_id, factorial_employee_id, leave_type_id, leave_type_name, start_date, finish_date, \
         half_day, status, description, data, created_at, updated_at",
    )?;
    let mut leave_id = 5_000_000;
    for user in organisation.users() {
        for _ in 0..LEAVES_PER_PERSON {
            leave_id += 1;
            let start = calendar::FIRST.plus(random.below(calendar::LAST.days_since(calendar::FIRST)));
            let finish = start.plus(random.skewed_below(14));
            let kind = random.below(3);
            let name = TYPES.get(kind as usize);
            let half_day = if random.one_in(10) { "beginning_of_day" } else { "no" };
            let status = match random.below(10) {
                0 => "pending",
                1 => "declined",
                _ => "approved",
            };
            let (from, to) = (start.to_string(), finish.to_string());
            let data = format!(r#"{{"id":{leave_id},"start_on":"{from}","finish_on":"{to}","approved":true}}"#);
            let created = format!("{} 09:00:00", start.minus(20));
            let values: [&dyn ToSql; 13] = [
                &leave_id,
                &user.id,
                &employee(user.id),
                &kind,
                &name,
                &from,
                &to,
                &half_day,
                &status,
                &None::<&str>,
                &data,
                &created,
                &created,
            ];
            leaves.row(&values)?;
        }
    }
    Ok(())
}

/// Of the country, not of a company.
fn insert_holidays(target: &Target<'_>) -> Result<()> {
    let mut holidays =
        target.insert_owned("holidays", "name, holiday_date, holiday_type, month, day, created_at, updated_at")?;
    for year in 2023..=2025 {
        for (name, month, day) in HOLIDAYS {
            let date = format!("{year}-{month:02}-{day:02}");
            holidays.row(&[&name, &date, &"fixed", &month, &day, &CREATED, &CREATED])?;
        }
    }
    Ok(())
}
