//! What to show: the form at the head of a page, and the ways to the months around it.

use form_urlencoded::Serializer;
use jiff::ToSpan as _;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::parameters::Days;
use crate::worklogs::Choice;

/// What the form shows as chosen.
pub(super) struct Chosen<'a> {
    pub(super) path: &'static str,
    pub(super) company: i64,
    pub(super) companies: &'a [(i64, String)],
    pub(super) choice: &'a Choice,
    pub(super) field: Field<'a>,
    pub(super) days: Option<Days>,
    /// In place of them, where somebody typed what means nothing as a whole.
    pub(super) typed: [Option<Date>; 2],
}

/// What else is chosen on a page.
#[derive(Clone, Copy)]
pub(super) enum Field<'a> {
    Person(Option<&'a str>),
    Instance(Option<&'a str>),
}

impl Field<'_> {
    fn parameter(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Person(email) => ("email", *email),
            Self::Instance(instance) => ("instance", *instance),
        }
    }
}

/// The form. It asks by GET: every view has an address to keep or to send.
pub(super) fn form(chosen: &Chosen<'_>) -> Markup {
    let [from, to] = match chosen.typed {
        [None, None] => [chosen.days.map(|days| days.from), chosen.days.map(|days| days.to)],
        typed => typed,
    };
    html! {
        form.card.filter method="get" action=(chosen.path) aria-label="What to show" {
            div.field {
                label for="company" { "Company" }
                select #company name="company_id" data-submit {
                    @for (id, name) in chosen.companies {
                        option value=(id) selected[*id == chosen.company] { (name) }
                    }
                    @if !chosen.companies.iter().any(|(id, _)| *id == chosen.company) {
                        option value=(chosen.company) selected { "Number " (chosen.company) }
                    }
                }
            }
            (field(chosen))
            div.field {
                label for="from" { "From" }
                input #from type="date" name="from" value=[from];
            }
            div.field {
                label for="to" { "To" }
                input #to type="date" name="to" value=[to];
            }
            button type="submit" { "Show" }
        }
        @if let Some(days) = chosen.days { (months(chosen, days)) }
    }
}

fn field(chosen: &Chosen<'_>) -> Markup {
    match chosen.field {
        Field::Person(email) => html! {
            div.field.wide {
                label for="email" { "Person" }
                input #email type="search" name="email" list="people" autocomplete="off" spellcheck="false"
                    placeholder="everybody" value=[email];
                datalist #people {
                    @for person in people(chosen.choice) { option value=(person) {} }
                }
            }
        },
        Field::Instance(instance) => html! {
            div.field.wide {
                label for="instance" { "Jira instance" }
                select #instance name="instance" data-submit {
                    @for known in &chosen.choice.instances {
                        option value=(known) selected[Some(known.as_str()) == instance] { (known) }
                    }
                    @if let Some(unknown) = instance.filter(|instance| !chosen.choice.instances.iter().any(|known| known == instance)) {
                        option value=(unknown) selected { (unknown) }
                    }
                }
            }
        },
    }
}

/// Each person once, however often the address is written differently.
fn people(choice: &Choice) -> Vec<String> {
    let mut people: Vec<_> = choice.people.iter().map(|email| email.to_ascii_lowercase()).collect();
    people.sort();
    people.dedup();
    people
}

fn months(chosen: &Chosen<'_>, days: Days) -> Markup {
    let month = |months: i32| {
        let day = days.from.first_of_month().checked_add(months.months()).ok()?;
        Some((day.strftime("%B %Y").to_string(), address(chosen, Some(Days::month_of(day)))))
    };
    html! {
        nav.months aria-label="Months" {
            @if let Some((name, address)) = month(-1) { a href=(address) rel="prev" { "← " (name) } }
            a href=(address(chosen, None)) { "Newest month" }
            @if let Some((name, address)) = month(1) { a href=(address) rel="next" { (name) " →" } }
        }
    }
}

/// The address of the same page with other days.
fn address(chosen: &Chosen<'_>, days: Option<Days>) -> String {
    let (name, value) = chosen.field.parameter();
    page_address(chosen.path, chosen.company, value.map(|value| (name, value)), days)
}

/// The address of a page.
pub(super) fn page_address(path: &str, company: i64, field: Option<(&str, &str)>, days: Option<Days>) -> String {
    let mut query = Serializer::for_suffix(format!("{path}?"), path.len() + 1);
    query.append_pair("company_id", &company.to_string());
    if let Some((name, value)) = field {
        query.append_pair(name, value);
    }
    if let Some(days) = days {
        query.append_pair("from", &days.from.to_string()).append_pair("to", &days.to.to_string());
    }
    query.finish()
}
