//! Content of what the application added at start-up, so that losing it would show.

use rusqlite::Result;

use super::{CREATED, Target};

/// Only what was synchronised since the addition has a value: every 50th worklog.
pub(crate) fn insert_at_run_time(target: &Target<'_>) -> Result<()> {
    target.connection.execute_batch(
        "UPDATE worklogs SET issue_type = 'Bug' WHERE rowid % 50 = 0;
         UPDATE teams SET owner_id = (SELECT min(id) FROM users WHERE team_id = teams.id);
         UPDATE users SET role = 'MANAGER', role_level = 3 WHERE id IN (SELECT owner_id FROM teams);",
    )?;
    let mut types = target.insert("jira_issue_types", "name, icon_url, created_at")?;
    let mut issues = target.insert("generic_issues", "issue_code, issue_type, description, created_at")?;
    for (code, name) in [("GEN-1", "Meeting"), ("GEN-2", "Training"), ("GEN-3", "Travel")] {
        types.row(&[&name, &format!("/icons/{}.svg", name.to_lowercase()), &CREATED])?;
        issues.row(&[&code, &name, &"Time without an issue of its own", &CREATED])?;
    }
    Ok(())
}
