//! What the files mean: facts only, no messages, no edits.
//!
//! # Dockerfiles
//!
//! [`DockerfileModel::new`] evaluates a parsed Dockerfile as BuildKit would, without build arguments, for `linux/amd64`.
//! It holds [`Stage`]s (from `FROM` to the next) and [`Step`]s (one instruction as one stage runs it, also those that
//! a parent stage keeps with `ONBUILD`); both are cheap copies.
//!
//! ```text
//! for stage in model.stages().filter(|stage| stage.is_built()) {
//!     match stage.base() {
//!         Base::Image(image) => …image.reference.tag(), stage.base_value().defaulted()…,
//!         Base::Stage(_) | Base::Scratch | Base::Unknown(_) => {}
//!     }
//!     if stage.user().is_root() { …stage.user().origin says why… }
//!     for step in stage.steps() {
//!         if step.keyword() == Keyword::Copy && step.user().user == User::Root { … }
//!         let value = step.expand("$HOME/x");          // Value: text, and what it depends on
//!         if let Some(text) = value.known() { … }      // None: only the build knows
//!     }
//! }
//! ```
//!
//! A `RUN`, `CMD`, `ENTRYPOINT` or `HEALTHCHECK` step has [`Step::scripts`] and [`Step::commands`]: every command that
//! it runs, behind `sh -c` and in heredocs too, with the way back to the file ([`StepCommand::span`]) and what a word is
//! at run time where that is certain ([`StepCommand::value`]). Facts made of them: what package managers do
//! ([`packages`]), what is downloaded ([`downloads`]), which accounts are created ([`Stage::account_changes`],
//! [`Stage::user_ids`]) and what needs root ([`Stage::root_needs`]).
//!
//! *Unknown is not false.* A [`Value`] carries the variables that it depends on: [`Value::known`] answers only what the
//! file decides (defaults of `ARG`s count as decided, see [`Value::defaulted`]); [`Value::missing`] names what a build
//! would have to be given. [`User::Unknown`] and [`Base::Unknown`] say why. A rule that meets them stays silent.
//!
//! # Compose files and manifests
//!
//! [`compose::ComposeModel`] and [`kubernetes::KubernetesModel`] answer what such a file says, with the nodes that say it;
//! [`graph::Callers`] who builds a Dockerfile and how what comes of it is run, [`graph::BuildGraph`] the same of all files.
//!
//! One engine each: words are expanded by [`expand`], image names are read by [`mod@reference`], users by [`User::parse`].

pub mod add;
pub mod address;
pub mod capability;
pub mod compose;
pub mod credential;
pub mod downloads;
pub mod expand;
pub mod graph;
pub mod host_path;
pub mod kubernetes;
pub mod packages;
pub mod reference;
pub mod seccomp;
pub mod secret_file;

mod accounts;
mod build_argument;
mod builder;
mod calls;
mod condition;
mod config;
mod dockerfile;
mod documented;
pub mod engine_call;
mod engine_socket;
mod evaluate;
mod evidence;
mod failure;
mod healthcheck;
mod held_secret;
mod image;
mod login;
mod manifest;
mod marks;
mod mention;
mod modes;
mod mount;
mod nesting;
mod options;
mod owners;
mod package_lists;
mod package_steps;
mod path;
mod pattern;
mod pinned;
mod platform;
mod port;
mod privilege;
mod program_text;
mod programs;
mod purpose;
mod recommends;
mod root_home;
mod scope;
mod script;
pub mod script_file;
mod script_variables;
mod script_writes;
mod shipped;
mod signal;
mod ssh;
mod stage;
mod start;
mod start_power;
mod start_script;
mod startup;
mod step;
mod tls;
mod user;
mod value;
mod writes;

pub use accounts::{AccountChange, AccountKind, Ids, NewUser};
pub use build_argument::{Caller, callers};
pub use builder::{Allowed, Builder, Feature};
pub use calls::{ProcessCall, ProcessCalls};
pub use config::{BaseImages, BuildError, BuildFailure, ImageConfig};
pub use dockerfile::{Base, Build, CopySource, DockerfileModel, Image, Shell, UnknownBase, Workdir};
pub use documented::{ShownMount, ShownRun};
pub use engine_socket::Reach;
pub use engine_socket::names_socket;
pub use evidence::Evidence;
pub use expand::Value;
pub(crate) use failure::ends_in_exit;
pub use healthcheck::{Healthcheck, HealthcheckError};
pub use held_secret::{HeldSecret, Origin as SecretOrigin};
pub use image::{ImageUse, UsedBy};
pub use login::Password;
pub use manifest::{PackageJson, program_in_lock};
pub use marks::Marks;
pub use mention::Mention;
pub use modes::{Mode, ModeChange};
pub use mount::{Mount, MountKind};
pub(crate) use options::{Options, Valued};
pub use owners::OwnerChange;
pub use package_lists::{LaterUse, ListUse};
pub use package_steps::{Leftover, StepPackages};
pub use path::{file_name, is_in as is_in_directory, is_program_directory, is_program_place, join as join_path};
pub use platform::Platform;
pub use port::{NoPort, Ports, Protocol};
pub use privilege::{RootNeed, RootNeedKind, script_needs_root};
pub use programs::Programs;
pub use purpose::Built;
pub use recommends::Recommended;
pub use reference::Reference;
pub use root_home::InRootHome;
pub use scope::{Variable, VariableKind};
pub use script::{ScriptForm, StepCommand, StepScript};
pub use stage::Stage;
pub use start::{RootReason, root_reason_of_script};
pub use start_power::{RootPower, StartPower};
pub use start_script::StartScript;
pub use startup::{Process, ShellNeed, ShellUse, StartWord, Startup};
pub use step::Step;
pub use tls::Unverified;
pub use user::{EffectiveUser, Group, UnknownUser, User, UserOrigin};
pub use writes::{Writes, Written};

#[cfg(test)]
mod tests;
