//! The shipped entries.

/// The files of `rulesets/images/`, by name; `tests/image_facts.rs` compares this list with the folder.
pub(super) const IMAGES: &[(&str, &str)] = &[
    ("alpine", include_str!("../../rulesets/images/alpine.toml")),
    ("buildpack-deps", include_str!("../../rulesets/images/buildpack-deps.toml")),
    ("debian", include_str!("../../rulesets/images/debian.toml")),
    ("node", include_str!("../../rulesets/images/node.toml")),
    ("python", include_str!("../../rulesets/images/python.toml")),
    ("ubuntu", include_str!("../../rulesets/images/ubuntu.toml")),
];
