//! Proof by building: a real engine builds and starts what was and what is to be, and both are asked the same.
//!
//! [`verify`] compares two Dockerfiles; [`Trial`] keeps the original for several attempts. Whatever is made on the way
//! (images, containers, files, processes) is gone afterwards, also when the run fails or is interrupted.
//! This module starts engines and the user's own check, and nothing that a checked file names outside of a container.

mod archive;
mod behaviour;
mod container;
mod engine;
mod failure;
mod http;
mod image;
mod interrupt;
mod mask;
mod namespace;
mod observe;
mod process;
mod promise;
mod start;
mod trial;
mod verdict;
mod workspace;

pub use archive::Contents;
pub use engine::{EngineKind, EngineSettings};
pub use failure::{Failure, Side};
pub use image::Image;
pub use promise::Promise;
pub use trial::{Recipe, Settings, Trial, verify};
pub use verdict::{Confinement, Difference, Measures, Standing, Subject, Verdict};
pub use workspace::beside;
