//! Parts of a schema that the catalogs of many versions hold together.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// A table, an index, a trigger or a view that did not change from one catalog to the next: a copy of a catalog copies none
/// of them, and of two catalogs only what was read anew is compared.
pub struct Shared<T>(Arc<Inner<T>>);

struct Inner<T> {
    value: T,
    description: OnceLock<String>,
}

impl<T> Shared<T> {
    /// Lets others hold it, too.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(Inner { value, description: OnceLock::new() }))
    }

    /// Whether both are the very same, so that nothing needs to be compared.
    #[must_use]
    pub fn is_identical(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Shared<T> {
    /// What a description of the catalog says of it, put into words once.
    pub(crate) fn description(&self, describe: impl FnOnce(&T) -> String) -> &str {
        self.0.description.get_or_init(|| describe(&self.0.value))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is_identical(other) || self.0.value == other.0.value
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}
