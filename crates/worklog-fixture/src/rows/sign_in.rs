//! Companies and how people sign in to them: the five tables that came with companies.

use rusqlite::Result;

use super::organisation::Organisation;
use super::{CREATED, Target};
use crate::calendar;

/// One person in so many has ever signed in.
const SIGNED_IN_EVERY: u32 = 5;

pub(super) fn insert(target: &Target<'_>, organisation: &Organisation) -> Result<()> {
    let mut companies = target.insert("companies", "id, name, domain, created_at, updated_at")?;
    let mut users = target.insert(
        "oauth_users",
        "id, company_id, google_id, email, first_name, last_name, role, last_login_at, created_at",
    )?;
    let mut sessions =
        target.insert("auth_sessions", "user_id, refresh_token, access_token_jti, expires_at, created_at")?;
    let mut invitations =
        target.insert("invitations", "company_id, email, role, invited_by, token, status, expires_at, created_at")?;
    let mut audit = target
        .insert("auth_audit_log", "company_id, user_id, event_type, email, ip_address, metadata_json, created_at")?;
    let expires = format!("{} 23:00:00", calendar::LAST.plus(7));
    for company in &organisation.companies {
        companies.row(&[&company.id, &company.name, &company.domain, &CREATED, &CREATED])?;
        for user in company.users.iter().filter(|user| user.id % SIGNED_IN_EVERY == 1) {
            let google = format!("1{:020}", user.id);
            let role = if user.id % 20 == 1 { "ADMIN" } else { "USER" };
            let login = format!("{} 08:30:00", calendar::LAST.minus(user.id % 28));
            users.row(&[
                &user.id,
                &company.id,
                &google,
                &user.email,
                &user.first_name,
                &user.last_name,
                &role,
                &login,
                &CREATED,
            ])?;
            let (refresh, access) = (format!("refresh-{:08}", user.id), format!("jti-{:08}", user.id));
            sessions.row(&[&user.id, &refresh, &access, &expires, &login])?;
            for back in 0..5 {
                let when = format!("{} 08:30:00", calendar::LAST.minus(user.id % 28 + back * 7));
                audit.row(&[&company.id, &user.id, &"LOGIN", &user.email, &"192.0.2.10", &"{}", &when])?;
            }
        }
        let inviter = company.users.iter().find(|user| user.id % SIGNED_IN_EVERY == 1).map(|user| user.id);
        for (number, status) in ["PENDING", "ACCEPTED", "EXPIRED"].into_iter().enumerate() {
            let email = format!("guest.{number}@{}", company.domain);
            let token = format!("invitation-{}-{number}", company.id);
            invitations.row(&[&company.id, &email, &"USER", &inviter, &token, &status, &expires, &CREATED])?;
        }
    }
    Ok(())
}
