//! Platforms: `linux/amd64` and the like, and the arguments that a build derives from them.

use std::fmt;

/// The platform that a build makes an image for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Platform {
    /// `linux`, `windows`, …
    pub os: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// `v7` of `linux/arm/v7`; empty where there is none.
    pub variant: String,
}

impl Default for Platform {
    fn default() -> Self {
        Self { os: "linux".into(), architecture: "amd64".into(), variant: String::new() }
    }
}

impl Platform {
    /// Reads `os/architecture[/variant]` or an architecture alone, names written as a build writes them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (first, second, variant) = (parts.next()?, parts.next(), parts.next().unwrap_or_default());
        let is_word = |part: &str| {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'(' | b')');
            !part.is_empty() && part.bytes().all(is_letter)
        };
        if parts.next().is_some() || !text.split('/').all(is_word) {
            return None;
        }
        let (os, architecture) = match second {
            Some(architecture) => (first.to_ascii_lowercase(), architecture),
            None if matches!(first.to_ascii_lowercase().as_str(), "linux" | "windows" | "darwin" | "freebsd") => {
                (first.to_ascii_lowercase(), "amd64")
            }
            None => ("linux".to_owned(), first),
        };
        let (architecture, variant) = normalized(&architecture.to_ascii_lowercase(), &variant.to_ascii_lowercase());
        Some(Self { os, architecture, variant })
    }

    /// Whether [`Platform::arguments`] may have one of that name.
    pub(super) fn may_be_argument(name: &str) -> bool {
        name.starts_with("BUILD") || name.starts_with("TARGET")
    }

    /// The arguments that a build for this platform on the same platform has without being given any.
    pub(super) fn arguments(&self, target: &str) -> [(&'static str, String); 11] {
        let platform = self.to_string();
        [
            ("BUILDPLATFORM", platform.clone()),
            ("BUILDOS", self.os.clone()),
            ("BUILDOSVERSION", String::new()),
            ("BUILDARCH", self.architecture.clone()),
            ("BUILDVARIANT", self.variant.clone()),
            ("TARGETPLATFORM", platform),
            ("TARGETOS", self.os.clone()),
            ("TARGETOSVERSION", String::new()),
            ("TARGETARCH", self.architecture.clone()),
            ("TARGETVARIANT", self.variant.clone()),
            ("TARGETSTAGE", target.to_owned()),
        ]
    }
}

/// Whether the builder gives an argument of that name its value.
pub(super) fn is_automatic(name: &str) -> bool {
    let rest = name.strip_prefix("TARGET").or_else(|| name.strip_prefix("BUILD"));
    matches!(rest, Some("PLATFORM" | "OS" | "OSVERSION" | "ARCH" | "VARIANT" | "STAGE"))
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

/// The names that Go has for architectures that others name otherwise.
fn normalized(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = match (architecture, variant) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8") => ("arm64", ""),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    (architecture.to_owned(), variant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_read_as_a_build_reads_them() {
        for (written, read) in [
            ("linux/amd64", Some("linux/amd64")),
            ("linux/arm64/v8", Some("linux/arm64")),
            ("linux/arm", Some("linux/arm/v7")),
            ("Linux/x86_64", Some("linux/amd64")),
            ("arm64", Some("linux/arm64")),
            ("windows", Some("windows/amd64")),
            ("linux/", None),
            ("", None),
            ("a/b/c/d", None),
            ("$TARGETPLATFORM", None),
        ] {
            assert_eq!(Platform::parse(written).map(|platform| platform.to_string()).as_deref(), read, "{written}");
        }
    }
}
