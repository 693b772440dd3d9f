//! What the dashboard knows about Jira besides worklogs: epics, issue types, templates, groups of instances.

use rusqlite::Result;

use super::organisation::{Company, Instance, Organisation};
use super::{CREATED, Insert, Target};

const EPICS_PER_INSTANCE: u32 = 40;
const ISSUE_TYPES: [(&str, bool); 4] = [("Task", false), ("Bug", false), ("Story", false), ("Sub-task", true)];
const ELEMENTS: [&str; 4] = ["Analysis", "Development", "Test", "Release"];

pub(super) struct Epic {
    pub(super) key: String,
    pub(super) name: String,
}

/// The epics of an instance; worklogs refer to them by key and repeat the name.
pub(super) fn epics(instance: &Instance) -> Vec<Epic> {
    (1..=EPICS_PER_INSTANCE)
        .map(|number| Epic {
            key: format!("{}-{number}", instance.project_key),
            name: format!("{} initiative {number}", instance.name),
        })
        .collect()
}

pub(super) fn insert(target: &Target<'_>, organisation: &Organisation) -> Result<()> {
    let mut epics_of =
        target.insert_owned("epics", "key, name, summary, jira_instance, data, created_at, updated_at")?;
    let mut issue_types = target.insert("jira_instance_issue_types", "instance_id, type_id, name, subtask")?;
    let mut linked =
        target.insert("linked_issues", "link_group_id, issue_key, jira_instance, element_name, created_at")?;
    for company in &organisation.companies {
        for instance in &company.instances {
            for epic in epics(instance) {
                let summary = format!("Goals of {}", epic.name);
                let data = format!(r#"{{"key":"{}","fields":{{"summary":"{summary}"}}}}"#, epic.key);
                let values: [&dyn rusqlite::ToSql; 7] =
                    [&epic.key, &epic.name, &summary, &instance.name, &data, &CREATED, &CREATED];
                epics_of.owned_row(company.id, &values)?;
            }
            for (number, (name, is_subtask)) in (10_000..).zip(ISSUE_TYPES) {
                issue_types.row(&[&instance.id, &number.to_string(), &name, &is_subtask])?;
            }
            for number in 1..=16_u32 {
                let group = format!("group-{}-{}", company.id, number);
                let issue = format!("{}-{}", instance.project_key, 1_000 + number);
                let element = ELEMENTS.get(number as usize % ELEMENTS.len());
                linked.row(&[&group, &issue, &instance.name, &element, &CREATED])?;
            }
        }
    }
    insert_groups(target, organisation)?;
    insert_templates(target, organisation)
}

fn insert_groups(target: &Target<'_>, organisation: &Organisation) -> Result<()> {
    let mut groups =
        target.insert_owned("complementary_groups", "id, name, primary_instance_id, created_at, updated_at")?;
    let mut members = target.insert("complementary_group_members", "group_id, instance_id, created_at")?;
    for company in &organisation.companies {
        let name = format!("{} together", company.name);
        let primary = company.instances.first().map(|instance| instance.id);
        groups.owned_row(company.id, &[&company.id, &name, &primary, &CREATED, &CREATED])?;
        for instance in &company.instances {
            members.row(&[&company.id, &instance.id, &CREATED])?;
        }
    }
    Ok(())
}

fn insert_templates(target: &Target<'_>, organisation: &Organisation) -> Result<()> {
    let mut templates = target
        .insert_owned("package_templates", "id, name, description, default_project_key, created_at, updated_at")?;
    let mut elements = target.insert("package_template_elements", "template_id, name, sort_order, created_at")?;
    let mut uses = target.insert("package_template_instances", "template_id, instance_id")?;
    for company in &organisation.companies {
        insert_template(company, &mut templates, &mut elements)?;
        for instance in &company.instances {
            uses.row(&[&company.id, &instance.id])?;
        }
    }
    Ok(())
}

/// One template a company, with the id of the company.
fn insert_template(company: &Company, templates: &mut Insert<'_>, elements: &mut Insert<'_>) -> Result<()> {
    let name = format!("{} release", company.name);
    let project = company.instances.first().map(|instance| &instance.project_key);
    templates.owned_row(company.id, &[&company.id, &name, &"A release, step by step", &project, &CREATED, &CREATED])?;
    for (order, element) in (0_u32..).zip(ELEMENTS) {
        elements.row(&[&company.id, &element, &order, &CREATED])?;
    }
    Ok(())
}
