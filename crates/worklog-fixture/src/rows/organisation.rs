//! Who works where: five companies of very different size, 20 teams of ten, their Jira instances.

use rusqlite::Result;

use super::{CREATED, Target};

const TEAM_SIZE: u32 = 10;
const FIRST_NAMES: [&str; 20] = [
    "Anna", "Bruno", "Carla", "Dario", "Elena", "Fabio", "Giulia", "Hugo", "Irene", "Jonas", "Katia", "Luca", "Marta",
    "Nico", "Olga", "Paolo", "Quinn", "Rosa", "Sandro", "Tina",
];
const LAST_NAMES: [&str; 10] =
    ["Abate", "Bassi", "Conti", "Donati", "Esposito", "Ferrari", "Greco", "Leone", "Marini", "Neri"];

/// A company, and its share of all worklogs.
pub(super) struct Company {
    pub(super) id: u32,
    pub(super) name: &'static str,
    pub(super) domain: &'static str,
    pub(super) percent_of_worklogs: u32,
    pub(super) teams: Vec<Team>,
    pub(super) instances: Vec<Instance>,
    pub(super) users: Vec<User>,
}

pub(super) struct Team {
    pub(super) id: u32,
    pub(super) name: String,
}

pub(super) struct User {
    pub(super) id: u32,
    pub(super) team_id: u32,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) email: String,
    /// The address as some of the person's worklogs spell it. For most people the same.
    pub(super) spelled_email: String,
}

pub(super) struct Instance {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) project_key: String,
    pub(super) url: String,
}

pub(super) struct Organisation {
    pub(super) companies: Vec<Company>,
}

/// Name, domain, percent of all worklogs, number of teams, Jira instances.
type Profile = (&'static str, &'static str, u32, u32, &'static [&'static str]);

const PROFILES: [Profile; 5] = [
    ("Alderwood Systems", "alderwood.example", 60, 12, &["Main", "Cloud", "Mobile", "Support"]),
    ("Brightwater Labs", "brightwater.example", 20, 4, &["Main", "Research", "Support"]),
    ("Corvina Digital", "corvina.example", 10, 2, &["Main", "Agency"]),
    ("Dolomia Works", "dolomia.example", 7, 1, &["Main", "Plant"]),
    ("Elmstead Consulting", "elmstead.example", 3, 1, &["Main", "Clients"]),
];

impl Organisation {
    pub(super) fn new() -> Self {
        let (mut team_id, mut user_id, mut instance_id) = (0, 0, 0);
        let next = |counter: &mut u32| {
            *counter += 1;
            *counter
        };
        let companies = (1..).zip(&PROFILES).map(|(id, &(name, domain, percent_of_worklogs, teams, instances))| {
            let teams: Vec<Team> = (1..=teams)
                .map(|number| Team { id: next(&mut team_id), name: format!("{} team {number}", first_word(name)) })
                .collect();
            let users = teams
                .iter()
                .flat_map(|team| (0..TEAM_SIZE).map(|_| team.id))
                .map(|team_id| User::new(next(&mut user_id), team_id, domain))
                .collect();
            let instances = instances
                .iter()
                .map(|place| Instance::new(next(&mut instance_id), first_word(name), place, domain))
                .collect();
            Company { id, name, domain, percent_of_worklogs, teams, instances, users }
        });
        Self { companies: companies.collect() }
    }

    pub(super) fn users(&self) -> impl Iterator<Item = &User> {
        self.companies.iter().flat_map(|company| &company.users)
    }
}

impl User {
    fn new(id: u32, team_id: u32, domain: &str) -> Self {
        let nth = |names: &[&'static str], position: u32| names.get(position as usize).copied().unwrap_or_default();
        let first_name = nth(&FIRST_NAMES, (id - 1) % 20);
        let last_name = nth(&LAST_NAMES, (id - 1) / 20 % 10);
        let capitalised = format!("{first_name}.{last_name}@{domain}");
        let email = capitalised.to_lowercase();
        let spelled_email = if id.is_multiple_of(8) { capitalised } else { email.clone() };
        Self { id, team_id, first_name, last_name, email, spelled_email }
    }
}

impl Instance {
    fn new(id: u32, company: &str, place: &str, domain: &str) -> Self {
        let initials = |text: &str, count| text.chars().take(count).collect::<String>().to_uppercase();
        Self {
            id,
            name: format!("{company} {place}"),
            project_key: format!("{}{}", initials(company, 1), initials(place, 2)),
            url: format!("https://{}.{domain}", place.to_lowercase()),
        }
    }
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}

pub(super) fn insert(target: &Target<'_>, organisation: &Organisation) -> Result<()> {
    let mut teams = target.insert_owned("teams", "id, name, created_at, updated_at")?;
    let mut users =
        target.insert_owned("users", "id, email, first_name, last_name, team_id, created_at, updated_at")?;
    let mut instances = target.insert_owned(
        "jira_instances",
        "id, name, url, email, api_token, default_project_key, created_at, updated_at",
    )?;
    let mut accounts =
        target.insert("user_jira_accounts", "user_id, jira_instance, account_id, created_at, updated_at")?;
    for company in &organisation.companies {
        for team in &company.teams {
            teams.owned_row(company.id, &[&team.id, &team.name, &CREATED, &CREATED])?;
        }
        for user in &company.users {
            let values: [&dyn rusqlite::ToSql; 7] =
                [&user.id, &user.email, &user.first_name, &user.last_name, &user.team_id, &CREATED, &CREATED];
            users.owned_row(company.id, &values)?;
            for instance in &company.instances {
                let account = format!("712020:{:08x}-{:04x}", user.id * 7919, instance.id);
                accounts.row(&[&user.id, &instance.name, &account, &CREATED, &CREATED])?;
            }
        }
        for instance in &company.instances {
            let address = format!("jira@{}", company.domain);
            let token = format!("not-a-token-{}", instance.id);
            instances.owned_row(
                company.id,
                &[
                    &instance.id,
                    &instance.name,
                    &instance.url,
                    &address,
                    &token,
                    &instance.project_key,
                    &CREATED,
                    &CREATED,
                ],
            )?;
        }
    }
    Ok(())
}
