//! Prints what came out, one file a format. Decides nothing: no filtering, no exit code.

mod catalogue;
mod checkstyle;
mod configuration;
mod github;
mod gitlab;
mod hardening;
mod inspect;
mod json;
mod junit;
mod markdown;
mod patch;
mod place;
mod rdjson;
mod repairs;
mod sarif;
mod snippet;
mod syntax;
mod terminal;
mod visible;
mod xml;

pub use catalogue::{explain, rules, rules_json};
pub use checkstyle::checkstyle;
pub use configuration::complaints;
pub use github::github;
pub use gitlab::gitlab;
pub use hardening::{HardenedFile, Hardening, hardening, hardening_json, hardening_markdown};
pub use inspect::{Question, image_line, image_page};
pub use json::{json, repairs_json};
pub use junit::junit;
pub use markdown::markdown;
pub use patch::patch;
pub use rdjson::rdjson;
pub use repairs::repairs;
pub use sarif::sarif;
pub use syntax::syntax_line;
pub use terminal::{Look, terminal};
