//! The configuration of an image, as an engine tells it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What an image says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Who runs it; empty is root.
    pub user: String,
    /// What is run.
    pub entrypoint: Vec<String>,
    /// What is run, or the arguments of `entrypoint`.
    pub command: Vec<String>,
    /// Names and values.
    pub environment: BTreeMap<String, String>,
    /// Where it starts; `/` if nobody says.
    pub working_directory: String,
    /// `80/tcp` and the like.
    pub ports: BTreeSet<String>,
    /// Paths.
    pub volumes: BTreeSet<String>,
    /// Names and values, without those that an engine writes by itself.
    pub labels: BTreeMap<String, String>,
    /// The words of the health check; empty if there is none.
    pub health_check: Vec<String>,
    /// The signal that stops it; empty for the default.
    pub stop_signal: String,
    /// Bytes, if the engine says so.
    pub size: Option<u64>,
}

impl Image {
    /// The TCP ports that it says it listens on.
    pub fn tcp_ports(&self) -> BTreeSet<u16> {
        self.ports.iter().filter_map(|port| port.strip_suffix("/tcp").unwrap_or(port).parse().ok()).collect()
    }

    /// Pages of its own that its health check asks for, such as `/health`.
    pub(super) fn pages_of_health_check(&self) -> BTreeSet<String> {
        let text = self.health_check.join(" ");
        let mut pages = BTreeSet::new();
        for (at, _) in text.match_indices("http://") {
            let rest = &text[at + "http://".len()..];
            let end = rest.find(|c: char| c.is_whitespace() || "'\"`)|;&<>$\\".contains(c)).unwrap_or(rest.len());
            let Some((host, page)) = rest[..end].split_once('/') else { continue };
            let name = host.split(':').next().unwrap_or(host);
            if ["localhost", "127.0.0.1", "0.0.0.0"].contains(&name) {
                pages.insert(format!("/{page}"));
            }
        }
        pages
    }
}

/// Reads what `docker image inspect`, `podman image inspect` or `buildah inspect --type image` prints.
pub(super) fn parse(json: &[u8]) -> Option<Image> {
    let json: Value = serde_json::from_slice(json).ok()?;
    let json = if json.is_array() { &json[0] } else { &json };
    let config = [&json["Docker"]["config"], &json["Config"]].into_iter().find(|config| config.is_object())?;
    // Podman keeps the health check beside the configuration.
    let health_check = [&config["Healthcheck"]["Test"], &json["Healthcheck"]["Test"], &json["HealthCheck"]["Test"]];
    let directory = config["WorkingDir"].as_str().unwrap_or_default();
    let mut image = Image {
        user: config["User"].as_str().unwrap_or_default().to_owned(),
        entrypoint: words(&config["Entrypoint"]),
        command: words(&config["Cmd"]),
        working_directory: if directory.is_empty() { "/".to_owned() } else { directory.to_owned() },
        ports: names(&config["ExposedPorts"]),
        volumes: names(&config["Volumes"]),
        health_check: health_check.into_iter().map(words).find(|words| !words.is_empty()).unwrap_or_default(),
        stop_signal: config["StopSignal"].as_str().unwrap_or_default().to_owned(),
        size: json["Size"].as_u64(),
        ..Image::default()
    };
    for variable in words(&config["Env"]) {
        let (name, value) = variable.split_once('=').unwrap_or((&variable, ""));
        image.environment.insert(name.to_owned(), value.to_owned());
    }
    if let Some(labels) = config["Labels"].as_object() {
        let own = labels.iter().filter(|(name, _)| *name != "io.buildah.version");
        image.labels.extend(own.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())));
    }
    if image.health_check == ["NONE"] {
        image.health_check.clear();
    }
    Some(image)
}

fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn names(set: &Value) -> BTreeSet<String> {
    set.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_keep_the_health_check_in_different_places() {
        let docker = br#"[{"Size": 7, "Config": {"User": "1000", "Healthcheck": {"Test": ["CMD", "true"]}}}]"#;
        let podman = br#"[{"Size": 7, "Config": {"User": "1000"}, "Healthcheck": {"Test": ["CMD", "true"]}}]"#;
        assert_eq!(parse(docker), parse(podman));
        assert_eq!(parse(docker).unwrap().health_check, ["CMD", "true"]);
    }

    #[test]
    fn a_health_check_names_a_page() {
        let health_check =
            ["CMD-SHELL".to_owned(), "curl -f 'http://localhost:8080/health?full=1' || exit 1".to_owned()];
        let image = Image { health_check: health_check.to_vec(), ..Image::default() };
        assert_eq!(image.pages_of_health_check(), ["/health?full=1".to_owned()].into());
    }

    #[test]
    fn fields_that_are_null_are_empty() {
        let image =
            parse(br#"[{"Config": {"Env": null, "Cmd": null, "Labels": null, "ExposedPorts": null}}]"#).unwrap();
        assert_eq!(image, Image { working_directory: "/".to_owned(), ..Image::default() });
        assert_eq!(parse(b"[]"), None);
        assert_eq!(parse(b"no json"), None);
    }
}
