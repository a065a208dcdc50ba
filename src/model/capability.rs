//! Capabilities of the kernel, by name.

use std::borrow::Cow;

/// What engines give a container unasked, and what Pod Security Standards allow to add to any; `NET_RAW`, which lets
/// a program forge packets, is the one that only engines give.
const USUAL: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// A capability as the kernel names it, without `CAP_`.
pub fn canonical(name: &str) -> Cow<'_, str> {
    let is_lower = name.bytes().any(|byte| byte.is_ascii_lowercase());
    let upper = if is_lower { Cow::Owned(name.to_ascii_uppercase()) } else { Cow::Borrowed(name) };
    match upper {
        Cow::Borrowed(upper) => Cow::Borrowed(upper.strip_prefix("CAP_").unwrap_or(upper)),
        Cow::Owned(upper) => Cow::Owned(upper.strip_prefix("CAP_").map_or_else(|| upper.clone(), str::to_owned)),
    }
}

/// Whether a container may be given it by what every cluster is advised to allow.
pub fn is_usual(name: &str) -> bool {
    USUAL.contains(&&*canonical(name))
}
