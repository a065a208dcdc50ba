//! The catalogue: the only place that names every rule.

mod image;
mod network;
mod syntax;

use crate::rule::Builtin;

/// Every rule, sorted by id.
pub static RULES: &[&Builtin] = &[
    &image::add_archive::RULE,
    &image::add_local_file::RULE,
    &image::add_remote_url::RULE,
    &image::eol_base::RULE,
    &network::pipe_to_shell::RULE,
    &syntax::syntax_error::RULE,
    &network::tls_verification_off::RULE,
    &image::unpinned_base::RULE,
    &network::unverified_download::RULE,
    &image::unversioned_base::RULE,
];
