//! ironhull reads Dockerfiles and the files around them, finds what makes a build or its image insecure, and rewrites it.
//!
//! The flow: `disk` reads files into a [`source::SourceSet`]; [`syntax`] makes lossless trees of them; [`model`] says what
//! they mean, with image facts of [`knowledge`]; [`rules`] turn facts into findings; `engine` runs rules over files;
//! [`fix`] applies what they offer, and [`rewrite`] makes the larger edits;
//! [`verify`] proves by building that two Dockerfiles do the same;
//! `project` is the one door to all of it; `emit` prints what came out. `ARCHITECTURE.md` says who may use whom.

pub mod baseline;
pub mod cli;
pub mod context;
pub mod discover;
pub mod disk;
pub mod docs;
pub mod emit;
pub mod engine;
pub mod fix;
pub mod harden;
pub mod knowledge;
pub mod lock;
pub mod lsp;
pub mod model;
pub mod policy;
pub mod project;
pub mod report;
pub mod rewrite;
pub mod rule;
pub mod rules;
pub mod source;
pub mod suppress;
pub mod syntax;
pub mod text;
pub mod verify;
