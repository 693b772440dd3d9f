//! The worklogs, and which of them are not billed.

use std::fmt::Write as _;

use rusqlite::{Result, ToSql};

use super::organisation::{Company, Instance, Organisation, User};
use super::{Insert, Target, jira};
use crate::calendar::{self, Day};
use crate::random::Random;

/// Lengths of entries: quarter-hours, the usual ones more than once.
const SECONDS: [u32; 8] = [900, 1_800, 3_600, 3_600, 5_400, 7_200, 14_400, 28_800];
const COMMENTS: [&str; 4] = [
    "Worked through the open review comments and updated the branch",
    "Call with the customer about the acceptance of the last delivery",
    "Analysis of the regression reported on Monday, cause found, fix next",
    "Preparation of the release notes and of the deployment checklist",
];
/// One worklog in so many is classified by hand.
const CLASSIFIED_EVERY: usize = 20;

pub(super) fn id(number: usize) -> String {
    format!("{}", 10_000_000 + number)
}

/// Rows arrive as nightly syncs bring them: those of a day one Jira instance after the other, some people a few days late.
pub(super) fn insert(target: &Target<'_>, organisation: &Organisation, count: usize) -> Result<()> {
    let (rest, working): (Vec<Day>, Vec<Day>) = calendar::days().partition(|day| day.is_weekend());
    let epics: Vec<Vec<jira::Epic>> =
        organisation.companies.iter().flat_map(|company| &company.instances).map(jira::epics).collect();
    let mut writer = Writer::new(target, &epics)?;
    let mut random = Random::new(target.seed, "worklogs");
    let (mut night, mut batch) = (0, Vec::new());
    for number in 0..count {
        let Some(company) = company_for(organisation, random.below(100)) else { continue };
        let (Some(user), Some(instance)) = (random.pick_skewed(&company.users), random.pick_skewed(&company.instances))
        else {
            continue;
        };
        // Six days, one of them of rest, though the calendar has two in seven: few people work at the weekend.
        let days = if random.one_in(6) { &rest } else { &working };
        let late = if random.one_in(8) { random.below(10) as usize } else { 0 };
        let position = (number * days.len() / count).saturating_sub(late);
        let Some(&day) = days.get(position) else { continue };
        let tonight = number * working.len() / count;
        if tonight > night {
            writer.sync(&mut batch, &mut random)?;
            night = tonight;
        }
        batch.push(Entry { number, company, user, instance, day });
    }
    writer.sync(&mut batch, &mut random)?;
    insert_classifications(target, organisation, count)
}

/// Who worked when, and for whom.
struct Entry<'o> {
    number: usize,
    company: &'o Company,
    user: &'o User,
    instance: &'o Instance,
    day: Day,
}

fn company_for(organisation: &Organisation, percent: u32) -> Option<&Company> {
    let mut reached = 0;
    organisation.companies.iter().find(|company| {
        reached += company.percent_of_worklogs;
        percent < reached
    })
}

/// Reuses its text buffers: a million rows are a million times nothing to allocate.
struct Writer<'c, 'e> {
    insert: Insert<'c>,
    /// By instance, in the order of their ids.
    epics: &'e [Vec<jira::Epic>],
    started: String,
    synced: String,
    issue: String,
    summary: String,
    name: String,
    data: String,
}

impl<'c, 'e> Writer<'c, 'e> {
    fn new(target: &Target<'c>, epics: &'e [Vec<jira::Epic>]) -> Result<Self> {
        let insert = target.insert_owned(
            "worklogs",
            "id, issue_key, issue_summary, author_email, author_display_name, time_spent_seconds, started, \
             jira_instance, epic_key, epic_name, data, created_at, updated_at, parent_key, parent_name, parent_type",
        )?;
        let text = || String::with_capacity(512);
        Ok(Self {
            insert,
            epics,
            started: text(),
            synced: text(),
            issue: text(),
            summary: text(),
            name: text(),
            data: text(),
        })
    }

    /// Writes what a sync finds, and forgets it.
    fn sync(&mut self, batch: &mut Vec<Entry<'_>>, random: &mut Random) -> Result<()> {
        batch.sort_by_key(|entry| entry.instance.id);
        batch.drain(..).try_for_each(|entry| self.write(&entry, random))
    }

    fn write(&mut self, entry: &Entry<'_>, random: &mut Random) -> Result<()> {
        let Entry { number, company, user, instance, day } = *entry;
        let id = id(number);
        let issue = 100 + random.below(4_000);
        let seconds = random.pick(&SECONDS).copied().unwrap_or(3_600);
        let comment = random.pick(&COMMENTS).copied().unwrap_or_default();
        // Worklogs spell an address as Jira did when they were made.
        let email = if random.one_in(2) { &user.email } else { &user.spelled_email };
        let epic = self.epics.get(instance.id as usize - 1).and_then(|epics| epics.get(issue as usize % 50));
        // Mostly UTC, a good part without an offset, a few local; never so late that UTC is another day.
        let offset = match random.below(20) {
            0..=11 => "+00:00",
            12..=18 => "",
            _ => "+01:00",
        };
        let (hour, minute) = (7 + random.below(12), 15 * random.below(4));
        rewrite(&mut self.started, format_args!("{day}T{hour:02}:{minute:02}:00{offset}"));
        rewrite(&mut self.synced, format_args!("{} 02:{:02}:00", day.plus(1), issue % 60));
        rewrite(&mut self.issue, format_args!("{}-{issue}", instance.project_key));
        rewrite(&mut self.summary, format_args!("{} change {issue} for {}", instance.project_key, company.name));
        rewrite(&mut self.name, format_args!("{} {}", user.first_name, user.last_name));
        rewrite(
            &mut self.data,
            format_args!(
                concat!(
                    r#"{{"self":"{url}/rest/api/3/issue/{issue}/worklog/{id}","id":"{id}","issueId":"{issue}","#,
                    r#""author":{{"accountId":"712020:{account:08x}","emailAddress":"{email}","displayName":"{name}","#,
                    r#""active":true,"timeZone":"Europe/Rome"}},"comment":"{comment}","#,
                    r#""started":"{started}","timeSpentSeconds":{seconds},"visibility":null}}"#
                ),
                url = instance.url,
                account = user.id * 7919,
                email = email,
                name = self.name,
                started = self.started,
                id = id,
                issue = issue,
                comment = comment,
                seconds = seconds,
            ),
        );
        let (epic_key, epic_name) = (epic.map(|epic| &epic.key), epic.map(|epic| &epic.name));
        let parent_type = epic.map(|_| "Epic");
        let values: [&dyn ToSql; 16] = [
            &id,
            &self.issue,
            &self.summary,
            email,
            &self.name,
            &seconds,
            &self.started,
            &instance.name,
            &epic_key,
            &epic_name,
            &self.data,
            &self.synced,
            &self.synced,
            &epic_key,
            &epic_name,
            &parent_type,
        ];
        self.insert.owned_row(company.id, &values)
    }
}

fn rewrite(text: &mut String, content: std::fmt::Arguments<'_>) {
    text.clear();
    // Writing to a String cannot fail.
    let _ = text.write_fmt(content);
}

fn insert_classifications(target: &Target<'_>, organisation: &Organisation, count: usize) -> Result<()> {
    let mut classifications = target.insert(
        "billing_worklog_classifications",
        "worklog_id, is_billable, override_hourly_rate, note, classified_by, classified_at",
    )?;
    let mut random = Random::new(target.seed, "classifications");
    let people: Vec<&User> = organisation.users().collect();
    for number in (0..count).step_by(CLASSIFIED_EVERY) {
        let is_billable = random.one_in(4);
        let rate = is_billable.then(|| f64::from(40 + 5 * random.below(12)));
        let note = if is_billable { "Agreed rate" } else { "Internal" };
        let person = random.pick_skewed(&people).map(|user| &user.email);
        let when = format!("{} 17:00:00", calendar::LAST.minus(random.below(300)));
        classifications.row(&[&id(number), &is_billable, &rate, &note, &person, &when])?;
    }
    Ok(())
}
