//! The catalogue: the only place that names every rule.

mod syntax;

use crate::rule::Builtin;

/// Every rule, sorted by id.
pub static RULES: &[&Builtin] = &[&syntax::syntax_error::RULE];
