//! What a query contract says of a type itself: `-- bootproof: column hours REAL NOT NULL`.

use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::value::{Type, Typed};

/// `parameter NAME …` or `column NAME …`: a type, whether there may be NULL, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Annotation {
    pub(crate) name: String,
    pub(crate) value: Option<Type>,
    /// Whether it may be NULL, where that is said.
    pub(crate) nullable: Option<bool>,
    pub(crate) span: Range<usize>,
}

impl Annotation {
    /// Reads what stands behind the keyword.
    pub(crate) fn read(keyword: &str, argument: &str, span: Range<usize>) -> Result<Self, Box<Diagnostic>> {
        let mut words = argument.split_whitespace();
        let name = words.next().map(|name| name.trim_start_matches(':').to_owned());
        let words: Vec<_> = words.map(str::to_ascii_uppercase).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let (value, rest) = match words.split_first() {
            Some((first, rest)) if Type::named(first).is_some() => (Type::named(first), rest),
            _ => (None, words.as_slice()),
        };
        let nullable = match rest {
            [] => Some(None),
            ["NULL"] => Some(Some(true)),
            ["NOT", "NULL"] => Some(Some(false)),
            _ => None,
        };
        match (name, nullable) {
            (Some(name), Some(nullable)) if value.is_some() || nullable.is_some() => {
                Ok(Self { name, value, nullable, span })
            }
            _ => Err(Box::new(unreadable(keyword))),
        }
    }

    /// What it makes of what was derived.
    ///
    /// A type that it names is nullable as SQL has it: a column unless it says NOT NULL, a parameter only if it says NULL.
    pub(crate) fn applied_to(&self, derived: Option<Typed>, is_parameter: bool) -> Option<Typed> {
        let value = self.value.or(derived.map(|derived| derived.value))?;
        let unsaid = match self.value {
            Some(_) => !is_parameter,
            None => derived.is_some_and(|derived| derived.is_nullable),
        };
        Some(Typed { value, is_nullable: self.nullable.unwrap_or(unsaid) })
    }
}

/// The types that can be said.
pub(crate) fn types() -> String {
    let names: Vec<_> = Type::ALL.into_iter().map(Type::name).collect();
    names.join(", ")
}

fn unreadable(keyword: &str) -> Diagnostic {
    let example = if keyword == "column" { "column hours REAL NOT NULL" } else { "parameter from_day TEXT" };
    Diagnostic::error("directive", format!("this says no type of a {keyword}"))
        .help(format!("write its name, one of {}, and NULL or NOT NULL, such as `-- bootproof: {example}`", types()))
}

#[cfg(test)]
mod tests {
    use super::{Annotation, Type, Typed};

    fn read(argument: &str) -> Option<Annotation> {
        Annotation::read("column", argument, 0..0).ok()
    }

    #[test]
    fn a_type_or_null_or_both_are_said() {
        let of = |argument, is_parameter| read(argument).unwrap().applied_to(None, is_parameter);
        assert_eq!(of("a TEXT", false), Some(Typed::nullable(Type::Text)));
        assert_eq!(of(":a text", true), Some(Typed::always(Type::Text)));
        assert_eq!(of("a TEXT  not null", false), Some(Typed::always(Type::Text)));
        assert_eq!(of("a TEXT NULL", true), Some(Typed::nullable(Type::Text)));
        assert_eq!(of("a NOT NULL", false), None);
        let derived = Some(Typed::nullable(Type::Real));
        assert_eq!(read("a NOT NULL").unwrap().applied_to(derived, false), Some(Typed::always(Type::Real)));
        for nothing in ["", "a", "a VARCHAR", "a TEXT NOT", "a TEXT NOT NULL b", "TEXT"] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }
}
