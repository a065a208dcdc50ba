//! What crosses the boundary between a container and what it must not trust or must not reach: its host, its network,
//! the rest of the world.

use super::{Lines, Place, services::Paths};
use crate::{
    model::{
        capability,
        compose::{Service, ServiceMountKind, ServicePort, Text},
        downloads::{Download, Trusted},
        engine_call::{EngineCall, EngineOption},
        host_path::{self, Reach},
        kubernetes::{Container, Setting, Volume},
        stage::Stage,
    },
    syntax::yaml::Node,
};

/// One thing that crosses a trust boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// What kind of thing it is.
    pub kind: CrossingKind,
    /// What exactly: a port, a path, a capability, an address.
    pub what: String,
    /// Where it is written.
    pub place: Place,
}

/// Kinds of things that cross a trust boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrossingKind {
    /// The container has everything that its host has.
    Privileged,
    /// The socket of a container engine.
    EngineSocket,
    /// A namespace of the host.
    HostNamespace,
    /// A path of the host that is part of its system.
    SystemPath,
    /// A device of the host.
    Device,
    /// A capability beyond the usual ones.
    Capability,
    /// A confinement that is turned off.
    Unconfined,
    /// A download that nothing verifies, and that is run, installed or unpacked.
    Download,
    /// A path of the host with files of somebody.
    HostPath,
    /// A port that others may reach.
    Port,
}

impl CrossingKind {
    /// Every kind, the worst first.
    pub const ALL: [CrossingKind; 10] = [
        CrossingKind::Privileged,
        CrossingKind::EngineSocket,
        CrossingKind::HostNamespace,
        CrossingKind::SystemPath,
        CrossingKind::Device,
        CrossingKind::Capability,
        CrossingKind::Unconfined,
        CrossingKind::Download,
        CrossingKind::HostPath,
        CrossingKind::Port,
    ];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            CrossingKind::Privileged => "privileged",
            CrossingKind::EngineSocket => "engine-socket",
            CrossingKind::HostNamespace => "host-namespace",
            CrossingKind::SystemPath => "system-path",
            CrossingKind::Device => "device",
            CrossingKind::Capability => "capability",
            CrossingKind::Unconfined => "unconfined",
            CrossingKind::Download => "unverified-download",
            CrossingKind::HostPath => "host-path",
            CrossingKind::Port => "port",
        }
    }

    /// As people say it, several of it.
    pub fn plural(self) -> &'static str {
        match self {
            CrossingKind::Privileged => "privileged",
            CrossingKind::EngineSocket => "engine sockets",
            CrossingKind::HostNamespace => "host namespaces",
            CrossingKind::SystemPath => "paths of the host's system",
            CrossingKind::Device => "devices",
            CrossingKind::Capability => "capabilities",
            CrossingKind::Unconfined => "confinements off",
            CrossingKind::Download => "unverified downloads",
            CrossingKind::HostPath => "host paths",
            CrossingKind::Port => "ports",
        }
    }

    /// Whether whoever has it has the host, or a good part of it.
    pub fn is_grave(self) -> bool {
        match self {
            CrossingKind::Privileged
            | CrossingKind::EngineSocket
            | CrossingKind::HostNamespace
            | CrossingKind::SystemPath
            | CrossingKind::Device
            | CrossingKind::Download => true,
            CrossingKind::Capability | CrossingKind::Unconfined | CrossingKind::HostPath | CrossingKind::Port => false,
        }
    }
}

impl Crossing {
    /// One line that says it.
    pub fn sentence(&self) -> String {
        let what = &self.what;
        match self.kind {
            CrossingKind::Privileged => "privileged: everything that the host has".to_owned(),
            CrossingKind::EngineSocket => format!("engine socket {what}"),
            CrossingKind::HostNamespace => format!("host namespace: {what}"),
            CrossingKind::SystemPath => format!("system of the host {what}"),
            CrossingKind::Device => format!("device {what}"),
            CrossingKind::Capability => format!("capability {what}"),
            CrossingKind::Unconfined => format!("confinement off: {what}"),
            CrossingKind::Download => format!("unverified download {what}"),
            CrossingKind::HostPath => format!("host path {what}"),
            CrossingKind::Port => format!("port {what}"),
        }
    }

    fn of_path(source: &str, target: Option<&str>, is_read_only: bool, place: Place) -> Option<Self> {
        let kind = match host_path::reach(source) {
            Reach::Socket => CrossingKind::EngineSocket,
            Reach::Node | Reach::System => CrossingKind::SystemPath,
            Reach::Data => CrossingKind::HostPath,
            Reach::Harmless => return None,
        };
        let behind = match target {
            Some(target) if target != source => format!(" on {target}"),
            Some(_) | None => String::new(),
        };
        let mode = if is_read_only { " (read-only)" } else { "" };
        Some(Self { kind, what: format!("{source}{behind}{mode}"), place })
    }
}

fn capability(name: &str, place: Place) -> Option<Crossing> {
    let name = capability::canonical(name);
    (!capability::is_usual(&name)).then(|| Crossing { kind: CrossingKind::Capability, what: name.into_owned(), place })
}

fn unconfined(option: &str, place: Place) -> Option<Crossing> {
    let what = option.replace('=', ":");
    let is_off = what.ends_with(":unconfined") || what == "label:disable";
    is_off.then_some(Crossing { kind: CrossingKind::Unconfined, what, place })
}

/// What a compose service lets across.
pub(super) fn of_service(service: &Service<'_>, paths: &Paths) -> Vec<Crossing> {
    let mut found = Vec::new();
    let place = |node: Node<'_>| paths.place(node);
    if let Some((Some(true), node)) = service.switch("privileged") {
        found.push(Crossing { kind: CrossingKind::Privileged, what: String::new(), place: place(node) });
    }
    for (key, what) in [
        ("network_mode", "network"),
        ("pid", "processes"),
        ("ipc", "memory of processes"),
        ("uts", "name"),
        ("userns_mode", "users"),
        ("cgroup", "control groups"),
    ] {
        if let Some(text) = service.text(key).filter(|text| text.known() == Some("host")) {
            found.push(Crossing { kind: CrossingKind::HostNamespace, what: what.to_owned(), place: place(text.node) });
        }
    }
    for mount in service.mounts().into_iter().filter(|mount| mount.kind == ServiceMountKind::Bind) {
        let Some(source) = &mount.source else { continue };
        found.extend(Crossing::of_path(source, mount.target.as_deref(), mount.is_read_only, place(mount.node)));
    }
    let of_texts = |texts: Vec<Text<'_>>, read: fn(&str, Place) -> Option<Crossing>| {
        texts.iter().filter_map(|text| read(text.known()?, place(text.node))).collect::<Vec<_>>()
    };
    found.extend(of_texts(service.list("devices"), |text, place| {
        let what = text.split(':').next().unwrap_or(text).to_owned();
        Some(Crossing { kind: CrossingKind::Device, what, place })
    }));
    found.extend(of_texts(service.list("cap_add"), capability));
    found.extend(of_texts(service.list("security_opt"), unconfined));
    found.extend(service.ports().iter().map(|port| Crossing {
        kind: CrossingKind::Port,
        what: published(port),
        place: place(port.node),
    }));
    found
}

fn published(port: &ServicePort<'_>) -> String {
    let target = port.target.as_deref().unwrap_or("?");
    let address = match (&port.address, port.has_address) {
        (Some(address), _) => format!("{address}:"),
        (None, true) => "?:".to_owned(),
        (None, false) => String::new(),
    };
    match &port.published {
        Some(published) if *published == target && address.is_empty() => target.to_owned(),
        Some(published) => format!("{address}{published} to {target}"),
        None => format!("{address}any to {target}"),
    }
}

/// What a container of a pod lets across.
pub(super) fn of_container(container: Container<'_>, lines: &Lines) -> Vec<Crossing> {
    let place = |node: Node<'_>| lines.place(node.span());
    let mut found = Vec::new();
    if let Some(node) = container.own_security(&["privileged"]).node().filter(|node| node.boolean() == Some(true)) {
        found.push(Crossing { kind: CrossingKind::Privileged, what: String::new(), place: place(node) });
    }
    for (key, what) in [("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "memory of processes")] {
        if let Some(node) = container.workload.setting(&[key]).node().filter(|node| node.boolean() == Some(true)) {
            found.push(Crossing { kind: CrossingKind::HostNamespace, what: what.to_owned(), place: place(node) });
        }
    }
    for mount in container.mounts() {
        let Some(path) = mount.volume.and_then(Volume::host_path) else { continue };
        found.extend(Crossing::of_path(path, mount.target, mount.is_read_only, place(mount.node)));
    }
    let added = container.own_security(&["capabilities", "add"]).items().unwrap_or_default();
    found.extend(added.into_iter().filter_map(|node| capability(node.scalar()?, place(node))));
    let seccomp = container.security(&["seccompProfile", "type"]);
    let apparmor = container.security(&["appArmorProfile", "type"]);
    let off = |setting: Setting<'_>, name: &str| {
        let node = setting.node().filter(|node| node.scalar() == Some("Unconfined"))?;
        Some(Crossing { kind: CrossingKind::Unconfined, what: format!("{name}:unconfined"), place: place(node) })
    };
    found.extend(off(seccomp, "seccomp"));
    found.extend(off(apparmor, "apparmor"));
    for port in container.node.get("ports").into_iter().flat_map(Node::items) {
        let Some(published) = port.get("hostPort").filter(|port| !port.resolved().is_template()) else { continue };
        let (Some(host), target) = (published.scalar(), port.get("containerPort").and_then(Node::scalar)) else {
            continue;
        };
        let what = if target == Some(host) { host.to_owned() } else { format!("{host} to {}", target.unwrap_or("?")) };
        found.push(Crossing { kind: CrossingKind::Port, what, place: place(published) });
    }
    found
}

/// What the options of a call let across.
pub(super) fn of_call(call: &EngineCall<'_>, lines: &Lines) -> Vec<Crossing> {
    call.options.iter().filter(|option| !option.is_hidden).filter_map(|option| of_option(option, lines)).collect()
}

fn of_option(option: &EngineOption<'_>, lines: &Lines) -> Option<Crossing> {
    let place = lines.place(option.span);
    let value = &*option.value;
    let of = |kind, what: &str| Some(Crossing { kind, what: what.to_owned(), place: place.clone() });
    match &*option.name {
        "privileged" if value != "false" => of(CrossingKind::Privileged, ""),
        "net" | "network" if value == "host" => of(CrossingKind::HostNamespace, "network"),
        "pid" if value == "host" => of(CrossingKind::HostNamespace, "processes"),
        "ipc" if value == "host" => of(CrossingKind::HostNamespace, "memory of processes"),
        "uts" if value == "host" => of(CrossingKind::HostNamespace, "name"),
        "userns" if value == "host" => of(CrossingKind::HostNamespace, "users"),
        "device" => of(CrossingKind::Device, value.split(':').next().unwrap_or(value)),
        "cap-add" => capability(value, place),
        "security-opt" => unconfined(value, place),
        "publish" => {
            let (ports, _) = value.split_once('/').unwrap_or((value, ""));
            let what = match ports.rsplit_once(':') {
                Some((published, target)) if published == target => target.to_owned(),
                Some(("", target)) => format!("any to {target}"),
                Some((published, target)) => format!("{published} to {target}"),
                None => format!("any to {ports}"),
            };
            of(CrossingKind::Port, &what)
        }
        "publish-all" => of(CrossingKind::Port, "any to each that the image exposes"),
        "volume" => {
            let mut parts = value.split(':');
            let source = parts.next().filter(|source| source.starts_with(['/', '.', '~']))?;
            let target = parts.next()?;
            let is_read_only = parts.next().is_some_and(|options| options.split(',').any(|option| option == "ro"));
            Crossing::of_path(source, Some(target), is_read_only, place)
        }
        "mount" => {
            let find = |names: &[&str]| {
                value.split(',').filter_map(|part| part.split_once('=')).find(|(name, _)| names.contains(name))
            };
            find(&["type"]).filter(|(_, kind)| *kind == "bind")?;
            let (_, source) = find(&["source", "src"])?;
            let target = find(&["target", "destination", "dst"]).map(|(_, target)| target);
            let is_read_only = value.split(',').any(|part| matches!(part, "readonly" | "ro"));
            Crossing::of_path(source, target, is_read_only, place)
        }
        _ => None,
    }
}

/// What the steps of a stage let in.
pub(super) fn of_stage(stage: Stage<'_>, lines: &Lines) -> Vec<Crossing> {
    if !stage.model().may_run(Download::PROGRAMS) {
        return Vec::new();
    }
    let of_download = |trusted: Trusted<'_>| {
        let url = trusted.download.urls.first()?.text().into_owned();
        Some(Crossing { kind: CrossingKind::Download, what: url, place: lines.place(trusted.download.span()) })
    };
    stage.unverified_downloads().into_iter().filter_map(of_download).collect()
}
