//! Puts a proxy between a service and the socket of the engine.

use crate::{
    model::compose::{Service, ServiceMount},
    rule::{Fix, Safety},
    syntax::yaml::{Editor, Node, Value},
    text::Edit,
};

/// The service that the proxy becomes.
const NAME: &str = "docker-socket-proxy";

/// Where it answers.
const ADDRESS: &str = "tcp://docker-socket-proxy:2375";

/// A program that asks the engine.
struct Client {
    name: &'static str,
    /// What it asks for, as the proxy calls it:
    /// <https://github.com/Tecnativa/docker-socket-proxy#grant-or-revoke-access-to-certain-api-sections>.
    asked: &'static [&'static str],
    /// The variable that tells it where the engine answers, if it reads one.
    variable: Option<&'static str>,
}

/// What well-known clients ask for, read in their sources on 2026-11-22.
const CLIENTS: [Client; 5] = [
    // willfarrell/docker-autoheal, docker-entrypoint: /containers/json, POST /containers/ID/restart; `DOCKER_SOCK`.
    Client { name: "autoheal", asked: &["CONTAINERS", "POST"], variable: Some("DOCKER_SOCK") },
    // nginx-proxy/docker-gen, internal/generator/generator.go: without `ListNetworks` it lists no container.
    Client { name: "docker-gen", asked: &["CONTAINERS", "NETWORKS"], variable: Some("DOCKER_HOST") },
    Client { name: "nginx-proxy", asked: &["CONTAINERS", "NETWORKS"], variable: Some("DOCKER_HOST") },
    // traefik/traefik, pkg/provider/docker: `client.WithHost(cfg.Endpoint)`, whatever the environment says.
    Client { name: "traefik", asked: &["CONTAINERS"], variable: None },
    // containrrr/watchtower, pkg/container/client.go: it pulls images, and connects what it creates to networks.
    Client { name: "watchtower", asked: &["CONTAINERS", "IMAGES", "NETWORKS", "POST"], variable: Some("DOCKER_HOST") },
];

/// Clients that do nothing useful with less than everything.
const WHOLE: [&str; 3] = ["portainer", "portainer-ce", "portainer-ee"];

/// The file with a proxy that has the socket in place of `mount`, and the service asking it.
///
/// # Errors
/// Why there is none.
pub fn behind_proxy<'y>(
    editor: &Editor<'y>,
    services: Node<'y>,
    service: &Service<'y>,
    mount: &ServiceMount<'y>,
    socket: &str,
) -> Result<Fix, String> {
    let image = service.image().and_then(|image| Some(image.known()?.to_owned())).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default().split([':', '@']).next().unwrap_or_default().to_owned();
    if WHOLE.contains(&name.as_str()) || services.entry(NAME).is_some() {
        return Err("what it does takes all of the engine, or there is a proxy already".to_owned());
    }
    let client = CLIENTS.iter().find(|client| client.name == name);
    let asked = client.map_or(&["CONTAINERS"][..], |client| client.asked);
    let variable = client.map_or(Some("DOCKER_HOST"), |client| client.variable);
    let refused = |refusal: crate::syntax::yaml::Refusal| refusal.to_string();
    let without = editor.remove_item(mount.node).map_err(refused)?;
    let told = variable.map(|variable| address(editor, service, variable)).transpose().map_err(refused)?;
    let allowed = asked.iter().map(|section| (*section, Value::text("1")));
    let proxy = Value::map([
        ("image", Value::text("tecnativa/docker-socket-proxy:<version>")),
        ("environment", Value::map(allowed)),
        ("volumes", Value::List(vec![Value::text(format!("{socket}:/var/run/docker.sock:ro"))])),
        ("read_only", Value::Word("true")),
        ("tmpfs", Value::texts(["/run"])),
    ]);
    let added = editor.insert(services, NAME, &proxy).map_err(refused)?;
    let edits = together(without, told, added).ok_or("the changes of the file would touch each other")?;
    let reason = match variable {
        Some("DOCKER_HOST") => {
            "choose a version; see that the program reads `DOCKER_HOST` or tell it the address otherwise, that the proxy lets through what it asks for and no more, and that both are on one network"
        }
        Some(_) => {
            "choose a version; see that the program asks without TLS where the address is `tcp://`, that the proxy lets through what it asks for and no more, and that both are on one network"
        }
        None => {
            "choose a version; tell Traefik with `--providers.docker.endpoint=tcp://docker-socket-proxy:2375`, which reads no variable for it, and see that both are on one network"
        }
    };
    Ok(Fix::new("Put a proxy between it and the socket", Safety::Manual, reason, edits))
}

/// The address of the proxy in the environment of `service`.
fn address<'y>(
    editor: &Editor<'y>,
    service: &Service<'y>,
    variable: &str,
) -> Result<Edit, crate::syntax::yaml::Refusal> {
    match service.own_entry("environment").map(|entry| entry.value) {
        Some(list) if list.is_sequence() => editor.append(list, &Value::text(format!("{variable}={ADDRESS}"))),
        Some(mapping) => editor.insert(mapping, variable, &Value::text(ADDRESS)),
        None => editor.insert(service.own(), "environment", &Value::map([(variable, Value::text(ADDRESS))])),
    }
}

/// The changes as edits that do not touch each other, if they are such: what is added to the last service and behind it
/// is one.
fn together(without: Edit, told: Option<Edit>, added: Edit) -> Option<Vec<Edit>> {
    let is_apart = |edit: &Edit| edit.span.end < without.span.start || without.span.end < edit.span.start;
    if !is_apart(&added) || told.as_ref().is_some_and(|told| !is_apart(told)) {
        return None;
    }
    match told {
        Some(told) if told.span == added.span => {
            let both = Edit::replace(told.file, told.span, told.text + &added.text);
            Some(vec![without, both])
        }
        Some(told) => Some(vec![without, told, added]),
        None => Some(vec![without, added]),
    }
}
