//! Builders of larger edits, shared by rules and by `harden`, so that there is one engine for each.
//!
//! They know the model and answer edits; whether and where an edit is right is for who asks.

pub mod allow;
mod call;
mod caller;
pub mod confine;
mod download;
mod draft;
pub mod executable;
mod frontend;
pub mod manifest;
pub mod mode;
pub mod packages;
mod pin;
pub mod pipefail;
pub mod profile;
mod role;
mod secret;
pub mod shell;
mod socket;
pub mod start;
pub mod sudo;
pub mod tls;
pub mod user;
mod verification;

pub use call::without_option;
pub use download::RemoteAdds;
pub use frontend::raise_frontend;
pub use pin::Pins;
pub use role::without_access;
pub use secret::{mount_copied, take_out_variable};
pub use socket::behind_proxy;
pub use verification::Verifier;
