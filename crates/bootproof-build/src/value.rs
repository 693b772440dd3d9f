//! What a value of SQLite is in Rust.

use bootproof_catalog::catalog::Affinity;

/// The type of a parameter or of a column, in the generated code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Integer,
    Real,
    Text,
    Blob,
    Boolean,
    /// Whatever SQLite can store, NULL included.
    Any,
}

/// A type, and whether there is always a value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) value: Type,
    pub(crate) is_nullable: bool,
}

impl Type {
    pub(crate) const ALL: [Self; 6] = [Self::Integer, Self::Real, Self::Text, Self::Blob, Self::Boolean, Self::Any];

    /// The word that an annotation has for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Real => "REAL",
            Self::Text => "TEXT",
            Self::Blob => "BLOB",
            Self::Boolean => "BOOLEAN",
            Self::Any => "ANY",
        }
    }

    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(word))
    }

    /// What people store in a column of a declared type.
    ///
    /// SQLite's affinities decide where they say something. NUMERIC is what is left over
    /// (<https://sqlite.org/datatype3.html#determination_of_column_affinity>): of its types only those are known that have one
    /// meaning everywhere.
    pub(crate) fn of_declared(declared: &str) -> Option<Self> {
        let upper = declared.trim().to_ascii_uppercase();
        let has = |part: &str| upper.contains(part);
        if upper.is_empty() || upper == "ANY" {
            return Some(Self::Any);
        }
        match Affinity::of(&upper) {
            Affinity::Integer => Some(Self::Integer),
            Affinity::Text => Some(Self::Text),
            Affinity::Blob => Some(Self::Blob),
            Affinity::Real => Some(Self::Real),
            Affinity::Numeric if has("BOOL") => Some(Self::Boolean),
            Affinity::Numeric if has("DATE") || has("TIME") => Some(Self::Text),
            Affinity::Numeric if has("NUM") || has("DEC") => Some(Self::Real),
            Affinity::Numeric => None,
        }
    }
}

impl Typed {
    /// Never NULL.
    pub(crate) fn always(value: Type) -> Self {
        Self { value, is_nullable: false }
    }

    pub(crate) fn nullable(value: Type) -> Self {
        Self { value, is_nullable: true }
    }

    /// As a column is declared: `TEXT NOT NULL`.
    pub(crate) fn declaration(self) -> String {
        let not_null = if self.is_nullable || self.value == Type::Any { "" } else { " NOT NULL" };
        format!("{}{not_null}", self.value.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Type;

    #[test]
    fn declared_types_mean_what_people_store_in_them() {
        for (declared, expected) in [
            ("INTEGER", Some(Type::Integer)),
            ("unsigned big int", Some(Type::Integer)),
            ("VARCHAR(20)", Some(Type::Text)),
            ("DOUBLE PRECISION", Some(Type::Real)),
            ("BLOB", Some(Type::Blob)),
            ("", Some(Type::Any)),
            ("any", Some(Type::Any)),
            ("BOOLEAN", Some(Type::Boolean)),
            ("TIMESTAMP", Some(Type::Text)),
            ("date", Some(Type::Text)),
            ("DECIMAL(10, 2)", Some(Type::Real)),
            ("NUMERIC", Some(Type::Real)),
            ("MONEY", None),
            ("uuid", None),
        ] {
            assert_eq!(Type::of_declared(declared), expected, "{declared}");
        }
    }
}
