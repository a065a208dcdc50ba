//! Package managers.

pub(super) mod apt_recommends;
pub(super) mod package_cache_left;
pub(super) mod unsigned_packages;
pub(super) mod update_alone;
