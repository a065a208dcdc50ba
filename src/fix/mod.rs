//! Applying fixes: which ones go together, the text that comes out, and whether it is better than before.
//!
//! Names no rule and knows no file format: it is handed a function that judges files, and trusts only what that says
//! about its own results.

mod apply;
mod fixpoint;
mod plan;

pub use apply::{apply, splice};
pub use fixpoint::{Applied, Beside, Outcome, Quarantined, repair};
pub use plan::{Choice, plan};
