//! The image configuration that a Dockerfile makes, for people and as one line of JSON.

/// What is asked about a Dockerfile.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The stage to stop at, instead of the last one.
    pub target: Option<&'a str>,
    /// Build arguments, as `NAME=VALUE` or `NAME`.
    pub build_args: &'a [String],
    /// As `os/architecture`, or with `/variant`.
    pub platform: &'a str,
    /// Whether base images count as empty.
    pub empty_base: bool,
}

/// The line of JSON for the Dockerfile `text` called `name`.
pub fn image_line(name: &str, _text: &[u8], _question: &Question<'_>) -> Vec<u8> {
    format!("{}\n", serde_json::json!({ "path": name })).into_bytes()
}

/// The page for people about the Dockerfile `text` called `name`.
pub fn image_page(name: &str, _text: &[u8], _question: &Question<'_>) -> Vec<u8> {
    format!("{name}\n").into_bytes()
}
