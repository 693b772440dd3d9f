//! Clients, projects, some thousands of rates, and the invoices made of them.

use rusqlite::{Result, ToSql};

use super::organisation::{Company, Organisation, User};
use super::{CREATED, Insert, Target};
use crate::random::Random;

const CLIENTS_PER_COMPANY: u32 = 3;
const PROJECTS_PER_CLIENT: u32 = 4;
const RATED_PEOPLE_PER_PROJECT: u32 = 8;
const YEARS: [&str; 3] = ["2023", "2024", "2025"];
const VAT: f64 = 0.22;

pub(super) fn insert(target: &Target<'_>, organisation: &Organisation) -> Result<()> {
    let mut random = Random::new(target.seed, "billing");
    let mut clients = target
        .insert_owned("billing_clients", "id, name, default_hourly_rate, jira_instance_id, created_at, updated_at")?;
    let mut projects =
        target.insert_owned("billing_projects", "id, client_id, name, default_hourly_rate, created_at, updated_at")?;
    let mut mappings =
        target.insert("billing_project_mappings", "billing_project_id, jira_instance, jira_project_key, created_at")?;
    let mut rates = target.insert(
        "billing_rates",
        "billing_project_id, user_email, issue_type, hourly_rate, valid_from, valid_to, created_at",
    )?;
    let mut invoices = Invoices::new(target)?;
    let (mut client_id, mut project_id) = (0, 0);
    for company in &organisation.companies {
        for number in 1..=CLIENTS_PER_COMPANY {
            client_id += 1;
            let name = format!("{} client {number}", company.name);
            let instance = company.instances.get(number as usize - 1).map(|instance| instance.id);
            clients.owned_row(company.id, &[&client_id, &name, &80.0, &instance, &CREATED, &CREATED])?;
            for project in 1..=PROJECTS_PER_CLIENT {
                project_id += 1;
                let name = format!("Project {project} of client {number}");
                projects.owned_row(company.id, &[&project_id, &client_id, &name, &85.0, &CREATED, &CREATED])?;
                for instance in &company.instances {
                    mappings.row(&[&project_id, &instance.name, &instance.project_key, &CREATED])?;
                }
                insert_rates(&mut rates, project_id, company, &mut random)?;
            }
            invoices.insert(client_id, project_id, company, &mut random)?;
        }
    }
    target.connection.execute_batch(
        "UPDATE jira_instances SET billing_client_id =
             (SELECT id FROM billing_clients WHERE billing_clients.jira_instance_id = jira_instances.id)",
    )
}

/// Two rates for everybody, then for some people one a year for each of two types of issue.
fn insert_rates(rates: &mut Insert<'_>, project_id: u32, company: &Company, random: &mut Random) -> Result<()> {
    for issue_type in [None, Some("Support")] {
        rates.row(&[&project_id, &None::<&str>, &issue_type, &75.0, &None::<&str>, &None::<&str>, &CREATED])?;
    }
    let people: Vec<&User> = company.users.iter().take(40).collect();
    let first = random.below(40);
    for offset in 0..RATED_PEOPLE_PER_PROJECT {
        let Some(user) = people.get((first + offset) as usize % people.len().max(1)) else { continue };
        for issue_type in ["Task", "Bug"] {
            for year in YEARS {
                let rate = f64::from(60 + 5 * random.below(15));
                let (from, to) = (format!("{year}-01-01"), format!("{year}-12-31"));
                rates.row(&[&project_id, &user.email, &issue_type, &rate, &from, &to, &CREATED])?;
            }
        }
    }
    Ok(())
}

struct Invoices<'c> {
    heads: Insert<'c>,
    lines: Insert<'c>,
    last_id: u32,
}

impl<'c> Invoices<'c> {
    fn new(target: &Target<'c>) -> Result<Self> {
        let heads = target.insert_owned(
            "invoices",
            "id, client_id, billing_project_id, period_start, period_end, status, subtotal_amount, taxes_amount, \
             total_amount, created_by, created_at, issued_at",
        )?;
        let lines = target.insert(
            "invoice_line_items",
            "invoice_id, description, quantity_hours, hourly_rate, amount, metadata_json, sort_order",
        )?;
        Ok(Self { heads, lines, last_id: 0 })
    }

    /// One a month, the last two still drafts.
    fn insert(&mut self, client_id: u32, project_id: u32, company: &Company, random: &mut Random) -> Result<()> {
        let by = company.users.first().map(|user| &user.email);
        for (number, (year, month)) in
            (1..).zip(YEARS.iter().flat_map(|year| (1..=12_u32).map(move |month| (year, month))))
        {
            self.last_id += 1;
            let hours: Vec<f64> = (0..3).map(|_| f64::from(8 + random.below(80))).collect();
            let subtotal = hours.iter().sum::<f64>() * 80.0;
            let (start, end) = (format!("{year}-{month:02}-01"), format!("{year}-{month:02}-28"));
            let created = format!("{year}-{month:02}-28 18:00:00");
            let status = if number > 34 { "DRAFT" } else { "ISSUED" };
            let issued = (status == "ISSUED").then_some(&created);
            let values: [&dyn ToSql; 12] = [
                &self.last_id,
                &client_id,
                &project_id,
                &start,
                &end,
                &status,
                &subtotal,
                &(subtotal * VAT),
                &(subtotal + subtotal * VAT),
                &by,
                &created,
                &issued,
            ];
            self.heads.owned_row(company.id, &values)?;
            for (order, hours) in (0_u32..).zip(hours) {
                let description = format!("Activity {}", order + 1);
                self.lines.row(&[&self.last_id, &description, &hours, &80.0, &(hours * 80.0), &"{}", &order])?;
            }
        }
        Ok(())
    }
}
