//! Base images and what enters the image.

pub(super) mod add_archive;
pub(super) mod add_local_file;
pub(super) mod add_remote_url;
pub(super) mod build_tools_in_image;
pub(super) mod eol_base;
pub(super) mod foreign_image;
pub(super) mod non_minimal_base;
pub(super) mod unpinned_base;
pub(super) mod unpinned_image;
pub(super) mod unversioned_base;
pub(super) mod unversioned_image;
