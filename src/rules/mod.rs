//! The catalogue: the only place that names every rule.

use crate::rule::Builtin;

/// Every rule, sorted by id.
pub static RULES: &[&Builtin] = &[];
