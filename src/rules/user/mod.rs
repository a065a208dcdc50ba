//! Who runs the image.

pub(super) mod named_user;
pub(super) mod root_user;
pub(super) mod sudo;
