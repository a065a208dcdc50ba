//! What a container of a pod has to say.
//!
//! Facts: Kubernetes documentation, "Pod Security Standards" and "Configure a Security Context"; an `emptyDir` is
//! everybody's; a volume is given to `fsGroup`, a path of the node is not; `net.ipv4.ip_unprivileged_port_start` is a
//! safe sysctl since 1.22; the API refuses `allowPrivilegeEscalation: false` beside `privileged` and `SYS_ADMIN`.

use super::{Act, Demand, Needs, Setting, is_in, runner::Runner};
use crate::{
    model::{
        kubernetes::{Container, Dropped, PodMount, Setting as Said, Volume},
        names_socket,
    },
    syntax::yaml::{Node, Value},
};

/// What `container` has to say of an image with `needs`; nothing where everything is said.
pub fn of_container(container: Container<'_>, needs: &Needs) -> Vec<Demand> {
    let asked = Asked { container, runner: Runner::new(container.name(), needs) };
    if container.workload.is_on_windows() {
        return vec![Demand::refused(format!("{} runs on Windows", asked.runner.name))];
    }
    if container.node.tree().is_rendered_elsewhere() || !container.is_whole() || !container.workload.is_whole() {
        return vec![Demand::refused(format!("a template has a say in what {} is", asked.runner.name))];
    }
    if container.image().is_some_and(|image| image.digest().is_some()) {
        let why = format!("{} names its image by digest, and that is one that was built before", asked.runner.name);
        return vec![Demand::refused(why)];
    }
    // What is as good as root on the node is confined by nothing else.
    let powers: Vec<Demand> = [asked.socket(), asked.privileged()].into_iter().flatten().collect();
    if !powers.is_empty() {
        return powers;
    }
    let answers = [
        asked.runner.called(),
        asked.user(),
        asked.refuses_root(),
        asked.profile(),
        asked.escalation(),
        asked.capabilities(),
        asked.read_only(),
        asked.volumes(),
        asked.port(),
    ];
    answers.into_iter().flatten().collect()
}

struct Asked<'a, 'y> {
    container: Container<'y>,
    runner: Runner<'a>,
}

/// The sysctl that says which ports are only root's.
const FIRST_PORT: &str = "net.ipv4.ip_unprivileged_port_start";

/// The first port that everybody may open wherever a container runs.
const FIRST_FREE: u64 = 1024;

impl Asked<'_, '_> {
    fn hidden(&self) -> Demand {
        self.runner.refuse("has settings that a template decides")
    }

    fn user(&self) -> Option<Demand> {
        let uid = self.runner.needs.ids.uid;
        let named = |why: String| {
            let settings = vec![Setting::own(&["securityContext", "runAsUser"], Act::Set(Value::number(uid)))];
            Some(Demand::set(format!("Run {} as {uid}", self.runner.name), why, settings))
        };
        match self.container.user() {
            Said::Hidden(_) => Some(self.hidden()),
            Said::Absent if self.runner.needs.is_numbered => None,
            Said::Absent => named("the image names its user, and a cluster only believes a number".to_owned()),
            Said::Written(node) => match node.scalar().and_then(|text| text.parse().ok()) {
                Some(own) if own == uid => None,
                Some(0) if self.runner.needs.was_root => {
                    named(format!("`runAsUser: 0` said what the image did; it runs as {uid} now"))
                        .map(Demand::following)
                }
                Some(0) => {
                    Some(Demand::refused(format!("{} is run as root: `runAsUser: 0`", self.runner.name)).following())
                }
                Some(own) => Some(
                    self.runner.refuse(format_args!("is run as {own}, and what the image may write belongs to {uid}")),
                ),
                None => Some(self.hidden()),
            },
        }
    }

    fn refuses_root(&self) -> Option<Demand> {
        match self.container.is_kept_from_root() {
            Some(true) => None,
            None => Some(self.hidden()),
            Some(false) => Some(Demand::set(
                format!("Let the cluster refuse root in {}", self.runner.name),
                format!("the image runs as {}", self.runner.needs.ids.uid),
                vec![Setting::own(&["securityContext", "runAsNonRoot"], Act::Set(Value::Word("true")))],
            )),
        }
    }

    fn port(&self) -> Option<Demand> {
        let declared = self.container.node.get("ports").into_iter().flat_map(Node::items);
        let mut declared = declared.filter_map(|port| port.get("containerPort")?.scalar()?.parse::<u64>().ok());
        let low = declared.find(|port| (1..FIRST_FREE).contains(port)).or(self.runner.needs.low_port.map(u64::from))?;
        let workload = self.container.workload;
        let Some(set) = workload.security(&["sysctls"]).items() else { return Some(self.hidden()) };
        let is_said = |item: &Node<'_>| item.get("name").and_then(Node::scalar) == Some(FIRST_PORT);
        if set.iter().any(is_said) {
            return None;
        }
        if !matches!(workload.setting(&["hostNetwork"]).boolean(), None | Some(false)) {
            let why = format!("{} is in the network of the node, where port {low} is only root's", self.runner.name);
            return Some(Demand::refused(why).following());
        }
        let item = Value::map([("name", Value::text(FIRST_PORT)), ("value", Value::text("0"))]);
        let settings = vec![Setting::pod(&["securityContext", "sysctls"], Act::Append(item))];
        let why =
            format!("port {low} is only root's on some engines, and the image is not root; the sysctl is a safe one");
        Some(Demand::set(format!("Let {} open port {low}", self.runner.name), why, settings).following())
    }

    /// Volumes that outlive the pod belong to root unless they are given to a group.
    fn volumes(&self) -> Option<Demand> {
        let writable = || self.container.mounts().filter(|mount| !mount.is_read_only && !mount.is_shown_only());
        let of_node = writable().find(|mount| mount.volume.is_some_and(|it| it.node.get("hostPath").is_some()));
        if let Some(mount) = of_node {
            let path = mount.target.unwrap_or("a place that a template says");
            let why =
                format!("{} has a directory of the node at `{path}`, and whose that is is not known", self.runner.name);
            return Some(Demand::refused(why).following());
        }
        let kept = writable().find(|mount| mount.outlives_the_pod() || self.is_claimed(mount))?;
        match self.container.workload.security(&["fsGroup"]) {
            Said::Written(_) => None,
            Said::Hidden(_) => Some(self.hidden()),
            Said::Absent => {
                let group = self.runner.needs.group();
                let path = kept.target.unwrap_or("its place");
                let path_of_group = &["securityContext", "fsGroup"];
                let mut settings = vec![Setting::pod(path_of_group, Act::Set(Value::number(group)))];
                if self.container.workload.object.is_older_than("fsGroupChangePolicy").is_none() {
                    let path = &["securityContext", "fsGroupChangePolicy"];
                    settings.push(Setting::pod(path, Act::Set(Value::text("OnRootMismatch"))));
                }
                let why = format!(
                    "the volume at `{path}` belongs to root, and the image runs as {}",
                    self.runner.needs.ids.uid
                );
                Some(
                    Demand::set(format!("Give the volumes of {} to group {group}", self.runner.name), why, settings)
                        .following(),
                )
            }
        }
    }

    /// Whether a mount is of a volume that the workload claims for each of its pods.
    fn is_claimed(&self, mount: &PodMount<'_>) -> bool {
        let name = mount.node.get("name").and_then(Node::scalar);
        let claims = self.container.workload.object.at(&["spec", "volumeClaimTemplates"]);
        let mut names = claims.into_iter().flat_map(Node::items).filter_map(|claim| claim.get("metadata")?.get("name"));
        mount.volume.is_none() && name.is_some() && names.any(|claim| claim.scalar() == name)
    }

    fn socket(&self) -> Option<Demand> {
        let reaches =
            self.container.mounts().any(|mount| mount.volume.and_then(Volume::host_path).is_some_and(names_socket));
        reaches.then(|| self.runner.has_socket())
    }

    fn privileged(&self) -> Option<Demand> {
        match self.container.own_security(&["privileged"]) {
            Said::Absent => None,
            Said::Hidden(_) => Some(self.hidden()),
            Said::Written(node) if node.boolean() == Some(false) => None,
            Said::Written(_) => Some(self.runner.refuse("is privileged: what it needs of the node is not known")),
        }
    }

    /// A capability that it is given, if that is not the one for low ports.
    fn added(&self) -> Option<String> {
        let Some(added) = self.container.own_security(&["capabilities", "add"]).items() else {
            return Some("what a template says".to_owned());
        };
        let mut names = added.into_iter().map(|item| item.scalar().unwrap_or_default().to_owned());
        names.find(|name| name.trim_start_matches("CAP_") != "NET_BIND_SERVICE")
    }

    fn escalation(&self) -> Option<Demand> {
        let setting = self.container.own_security(&["allowPrivilegeEscalation"]);
        if setting.is_hidden() {
            return Some(self.hidden());
        }
        // What keeps it from being said has its own demand.
        if setting.boolean() == Some(false) || self.added().is_some() {
            return None;
        }
        let path = &["securityContext", "allowPrivilegeEscalation"];
        Some(self.runner.deny_more(Setting::own(path, Act::Set(Value::Word("false")))))
    }

    fn profile(&self) -> Option<Demand> {
        let is_annotated = self
            .container
            .workload
            .annotations()
            .any(|entry| entry.key.scalar().is_some_and(|key| key.contains("seccomp.security.alpha")));
        let too_young = self.container.workload.object.is_older_than("seccompProfile");
        let default_profile = || {
            let path = &["securityContext", "seccompProfile", "type"];
            Demand::set(
                format!("Ask for the default seccomp profile for {}", self.runner.name),
                "engines apply it to every container unless a cluster says otherwise",
                vec![Setting::own(path, Act::Set(Value::text("RuntimeDefault")))],
            )
        };
        match self.container.security(&["seccompProfile", "type"]) {
            Said::Hidden(_) => Some(self.hidden()),
            Said::Written(node) => match node.scalar() {
                Some("RuntimeDefault" | "Localhost") => None,
                Some(_) | None => {
                    Some(self.runner.refuse("is without a seccomp profile: the calls that it makes are not known"))
                }
            },
            Said::Absent if is_annotated => {
                Some(self.runner.refuse("has its seccomp profile in an annotation that no cluster reads"))
            }
            Said::Absent => Some(too_young.map_or_else(default_profile, Demand::refused)),
        }
    }

    fn capabilities(&self) -> Option<Demand> {
        if let Some(more) = self.added() {
            return Some(self.runner.is_given(&more));
        }
        match self.container.dropped() {
            Dropped::All => None,
            Dropped::Hidden => Some(self.hidden()),
            Dropped::Nothing | Dropped::Some { .. } => {
                let path = &["securityContext", "capabilities", "drop"];
                Some(self.runner.drop_all("", Setting::own(path, Act::Append(Value::text("ALL")))))
            }
        }
    }

    fn read_only(&self) -> Option<Demand> {
        let setting = self.container.own_security(&["readOnlyRootFilesystem"]);
        if setting.is_hidden() {
            return Some(self.hidden());
        }
        if setting.boolean() == Some(true) {
            return None;
        }
        let is_mounted = |path: &str| self.container.mounts().any(|it| it.target.is_some_and(|at| is_in(path, at)));
        let open = match self.runner.unmounted(is_mounted) {
            Ok(open) => open,
            Err(demand) => return Some(demand),
        };
        let mut taken: Vec<String> = Vec::new();
        let mut settings = Vec::new();
        for place in &open {
            let name = self.free_name(&place.path, &taken);
            let volume = Value::map([("name", Value::text(&*name)), ("emptyDir", Value::Map(Vec::new()))]);
            let mount = Value::map([("name", Value::text(&*name)), ("mountPath", Value::text(&*place.path))]);
            settings.push(Setting::pod(&["volumes"], Act::Append(volume)));
            settings.push(Setting::own(&["volumeMounts"], Act::Append(mount)));
            taken.push(name);
        }
        let path = &["securityContext", "readOnlyRootFilesystem"];
        settings.push(Setting::own(path, Act::Set(Value::Word("true"))));
        Some(self.runner.write_only(&open, " and ", settings))
    }

    /// A name for a volume at `path` that the pod has not yet.
    fn free_name(&self, path: &str, taken: &[String]) -> String {
        let letters = path.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' });
        let plain = letters.collect::<String>().to_ascii_lowercase();
        let plain = plain.trim_matches('-').to_owned();
        let has = |name: &str| {
            taken.iter().any(|other| other == name)
                || self.container.workload.volumes().any(|volume| volume.name() == Some(name))
        };
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        let names = std::iter::once(plain.clone()).chain(numbered);
        names.into_iter().find(|name| !has(name)).unwrap_or(plain)
    }
}
