//! Which images a project lets in.

use super::Knowledge;

/// Names and beginnings of names of images, as a project writes them.
///
/// `nginx` is the official image of that name, `docker.io/library/` everything below it, `registry.example.com/team/*`
/// the same with a star, and `*` everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedImages(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// This repository.
    Name(String),
    /// Every repository that begins so.
    Start(String),
}

impl AllowedImages {
    /// The images that `patterns` name.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Self {
        Self(patterns.into_iter().map(Pattern::new).collect())
    }

    fn hold(&self, repository: &str) -> bool {
        self.0.iter().any(|pattern| match pattern {
            Pattern::Name(name) => name == repository,
            Pattern::Start(start) => repository.starts_with(start.as_str()),
        })
    }
}

impl Pattern {
    fn new(written: &str) -> Self {
        let start = written.strip_suffix('*').or_else(|| written.ends_with('/').then_some(written));
        match start {
            Some("") => Pattern::Start(String::new()),
            Some(start) => Pattern::Start(whole(start)),
            None => Pattern::Name(whole(written)),
        }
    }
}

/// `name` with the registry that a name without one means.
fn whole(name: &str) -> String {
    match name.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}

impl Knowledge {
    /// The same, with a list of the images that the project lets in.
    #[must_use]
    pub fn allowing(self, images: AllowedImages) -> Self {
        Self { allowed: Some(images), ..self }
    }

    /// Whether the project lets in the images of `repository`, a normalised name; without a list it lets in all.
    pub fn allows(&self, repository: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.hold(repository))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_name_or_the_beginning_of_one() {
        let allowed = AllowedImages::new(["nginx", "grafana/*", "ghcr.io/shop/", "localhost:5000/*"]);
        for name in ["docker.io/library/nginx", "docker.io/grafana/loki", "ghcr.io/shop/api", "localhost:5000/x"] {
            assert!(allowed.hold(name), "{name}");
        }
        for name in ["docker.io/library/nginx-unit", "docker.io/library/redis", "ghcr.io/shopping/api", "quay.io/nginx"]
        {
            assert!(!allowed.hold(name), "{name}");
        }
        assert!(AllowedImages::new(["*"]).hold("quay.io/a/b"));
        assert!(!AllowedImages::new([]).hold("quay.io/a/b"));
    }
}
