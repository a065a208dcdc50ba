//! Downloads and transport.

pub(super) mod pipe_to_shell;
pub(super) mod tls_verification_off;
pub(super) mod unverified_download;
