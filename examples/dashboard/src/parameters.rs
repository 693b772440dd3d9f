//! What a request may ask: the parameters after the `?`, validated before they come near the database.

use std::borrow::Cow;

use jiff::ToSpan as _;
use jiff::civil::Date;
use percent_encoding::percent_decode_str;

/// The longest range of days that a request may ask for; a leap year fits.
const LONGEST_RANGE_DAYS: i32 = 366;

/// Longer than any address or name; what is longer is nobody's.
pub(crate) const LONGEST_TEXT: usize = 320;

/// The parameters of one request.
pub(crate) struct Parameters<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// What a request asks for. Whatever is absent is chosen from the data.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    pub(crate) company: Option<i64>,
    pub(crate) email: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) days: Option<Days>,
    /// The days in a form that means nothing as a whole.
    pub(crate) typed: [Option<Date>; 2],
}

/// A range of days, both included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Days {
    pub(crate) from: Date,
    pub(crate) to: Date,
}

impl Ask {
    /// Reads a query string; refuses a parameter that is not among `known`, is given twice, is empty or means nothing.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, String> {
        Self::of(&Parameters::read(query, known)?)
    }

    /// The same for a form, which sends what was left empty, too. Where something means nothing, what is beside it is kept,
    /// so that the form can be filled in again.
    pub(crate) fn of_form(query: Option<&str>, known: &[&str]) -> (Self, Option<String>) {
        let mut parameters = match Parameters::read(query, known) {
            Ok(parameters) => parameters,
            Err(message) => return (Self::default(), Some(message)),
        };
        parameters.0.retain(|(_, value)| !value.trim().is_empty());
        match Self::of(&parameters) {
            Ok(ask) => (ask, None),
            Err(message) => (Self::kept_of(&parameters), Some(message)),
        }
    }

    fn of(parameters: &Parameters<'_>) -> Result<Self, String> {
        let text = |name| Ok::<_, String>(parameters.text(name)?.map(ToOwned::to_owned));
        let (company, days) = (parameters.company()?, parameters.days()?);
        Ok(Self { company, email: text("email")?, instance: text("instance")?, days, typed: [None; 2] })
    }

    fn kept_of(parameters: &Parameters<'_>) -> Self {
        let text = |name| parameters.text(name).ok().flatten().map(ToOwned::to_owned);
        let day = |name| parameters.day(name).ok().flatten();
        let company = parameters.company().ok().flatten();
        Self { company, email: text("email"), instance: text("instance"), days: None, typed: [day("from"), day("to")] }
    }
}

impl<'a> Parameters<'a> {
    fn read(query: Option<&'a str>, known: &[&str]) -> Result<Self, String> {
        let mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        let query = query.unwrap_or_default();
        let written = query.split('&').filter(|pair| !pair.is_empty());
        for (written, (name, value)) in written.zip(form_urlencoded::parse(query.as_bytes())) {
            if !known.contains(&name.as_ref()) {
                return Err(format!("unknown parameter; expected {}", known.join(", ")));
            }
            // The parser puts U+FFFD in the place of such bytes; somebody may have asked for that very character.
            if percent_decode_str(written).decode_utf8().is_err() {
                return Err(format!("`{name}` is not UTF-8"));
            }
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(format!("`{name}` is given twice"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    fn text(&self, name: &str) -> Result<Option<&str>, String> {
        match self.0.iter().find(|(other, _)| other == name) {
            Some((_, value)) if value.trim().is_empty() => Err(format!("`{name}` is empty")),
            Some((_, value)) if value.len() > LONGEST_TEXT => {
                Err(format!("`{name}` has more than {LONGEST_TEXT} bytes"))
            }
            found => Ok(found.map(|(_, value)| value.as_ref())),
        }
    }

    fn company(&self) -> Result<Option<i64>, String> {
        let company = self.text("company_id")?.map(str::parse).transpose();
        company.map_err(|_| "`company_id` is not a whole number".to_owned())
    }

    /// The range of days, if there is one.
    fn days(&self) -> Result<Option<Days>, String> {
        match (self.day("from")?, self.day("to")?) {
            (None, None) => Ok(None),
            (Some(from), Some(to)) if from > to => Err("`from` is after `to`".to_owned()),
            (Some(from), Some(to)) if (to - from).get_days() >= LONGEST_RANGE_DAYS => {
                Err(format!("the range is longer than {LONGEST_RANGE_DAYS} days"))
            }
            (Some(from), Some(to)) => Ok(Some(Days { from, to })),
            _ => Err("give both `from` and `to`, or neither".to_owned()),
        }
    }

    fn day(&self, name: &str) -> Result<Option<Date>, String> {
        self.text(name)?
            .map(|text| day(text).ok_or_else(|| format!("`{name}` is not a day like 2025-01-31")))
            .transpose()
    }
}

impl Days {
    /// The month of this day.
    pub(crate) fn month_of(day: Date) -> Self {
        Self { from: day.first_of_month(), to: day.last_of_month() }
    }

    /// Every day of the range.
    pub(crate) fn each(self) -> impl Iterator<Item = Date> {
        self.from.series(1.day()).take_while(move |day| *day <= self.to)
    }
}

/// A day that exists, written exactly as the database writes days: they are compared as text there.
pub(crate) fn day(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|day| day.to_string() == text)
}
