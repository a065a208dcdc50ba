//! Prints what came out, one file a format. Decides nothing: no filtering, no exit code.

mod catalogue;
mod configuration;
mod github;
mod inspect;
mod json;
mod patch;
mod repairs;
mod snippet;
mod syntax;
mod terminal;
mod visible;

pub use catalogue::{explain, rules, rules_json};
pub use configuration::complaints;
pub use github::github;
pub use inspect::{Question, image_line, image_page};
pub use json::{json, repairs_json};
pub use patch::patch;
pub use repairs::repairs;
pub use syntax::syntax_line;
pub use terminal::{Look, terminal};
