//! The catalogue: the only place that names every rule.

mod image;
mod syntax;

use crate::rule::Builtin;

/// Every rule, sorted by id.
pub static RULES: &[&Builtin] = &[
    &image::add_archive::RULE,
    &image::add_local_file::RULE,
    &image::add_remote_url::RULE,
    &image::eol_base::RULE,
    &syntax::syntax_error::RULE,
    &image::unpinned_base::RULE,
    &image::unversioned_base::RULE,
];
