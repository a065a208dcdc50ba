//! What a layer leaves behind.

pub(super) mod missing_pipefail;
pub(super) mod setuid_bit;
pub(super) mod world_writable;
