//! What a compose service has to say.
//!
//! Facts: Compose file reference, "services" (`tmpfs` takes options behind a colon); Docker mounts `tmpfs` `noexec`
//! unless told otherwise, with the mode of the directory that is there, and owned by root; it sets
//! `net.ipv4.ip_unprivileged_port_start` to 0 except in the network of the host; compose refuses secrets and configs
//! that are not files in a container that may not write (docker/compose, `pkg/compose/secrets.go`).

use super::{Act, Demand, Needs, Setting, is_in, needs::Beside, runner::Runner};
use crate::{
    model::{
        User,
        compose::{Service, ServiceMountKind, Text},
        names_socket,
    },
    syntax::yaml::{Node, Value},
};

/// What `service` has to say of an image with `needs`; nothing where everything is said.
pub fn of_service(service: &Service<'_>, needs: &Needs) -> Vec<Demand> {
    let asked = Asked { service, runner: Runner::new(service.name(), needs) };
    if service.is_open() {
        return vec![Demand::refused(format!("{} extends what nobody here sees", asked.runner.name))];
    }
    // What is as good as root on the host is confined by nothing else.
    let powers: Vec<Demand> = [asked.socket(), asked.privileged()].into_iter().flatten().collect();
    if !powers.is_empty() {
        return powers;
    }
    let answers = [
        asked.runner.called(),
        asked.user(),
        asked.port(),
        asked.read_only(),
        asked.capabilities(),
        asked.no_new_privileges(),
        asked.profiles(),
    ];
    answers.into_iter().flatten().collect()
}

struct Asked<'a, 'y> {
    service: &'a Service<'y>,
    runner: Runner<'a>,
}

impl Asked<'_, '_> {
    fn user(&self) -> Option<Demand> {
        let text = self.service.user()?;
        let uid = self.runner.needs.ids.uid;
        let Some(known) = text.known() else {
            return Some(self.runner.refuse("is run as whom a variable says"));
        };
        match User::parse(known) {
            User::Numeric { uid: own, .. } if own == uid => None,
            User::Root if self.runner.needs.was_root && self.service.own_entry("user").is_some() => Some(
                Demand::set(
                    format!("Leave the user of {} to the image", self.runner.name),
                    format!("`user: {known}` said what the image did; it runs as {uid} now"),
                    vec![Setting::own(&["user"], Act::Remove)],
                )
                .following(),
            ),
            User::Root => {
                Some(Demand::refused(format!("{} is run as root: `user: {known}`", self.runner.name)).following())
            }
            User::Numeric { .. } | User::Named { .. } | User::Unknown(_) => Some(
                self.runner.refuse(format_args!("is run as `{known}`, and what the image may write belongs to {uid}")),
            ),
        }
    }

    fn port(&self) -> Option<Demand> {
        let port = self.runner.needs.low_port?;
        let network = self.service.text("network_mode")?;
        (network.known() != Some("bridge") && network.known() != Some("none")).then(|| {
            let what = "is in a network that is not its own, where port";
            Demand::refused(format!("{} {what} {port} may be only root's", self.runner.name)).following()
        })
    }

    fn socket(&self) -> Option<Demand> {
        let mounts = self.service.mounts();
        let is_socket = |source: &String| names_socket(source);
        let reaches = mounts.iter().any(|mount| mount.source.as_ref().is_some_and(is_socket));
        reaches.then(|| self.runner.has_socket())
    }

    fn privileged(&self) -> Option<Demand> {
        match self.service.switch("privileged")? {
            (Some(false), _) => None,
            (Some(true), _) => Some(self.runner.refuse("is privileged: what it needs of the host is not known")),
            (None, _) => Some(self.runner.refuse("may be privileged: a variable decides")),
        }
    }

    fn no_new_privileges(&self) -> Option<Demand> {
        let options = self.options()?;
        let said = options.iter().find_map(|option| option.strip_prefix("no-new-privileges"));
        match said {
            Some("" | ":true") => None,
            Some(_) => Some(self.runner.refuse("may gain privileges in so many words")),
            None => {
                let item = Value::text("no-new-privileges:true");
                Some(self.runner.deny_more(Setting::own(&["security_opt"], Act::Append(item))))
            }
        }
    }

    /// Its options, if all of them are known.
    fn options(&self) -> Option<Vec<String>> {
        let options = self.service.list("security_opt");
        options.iter().map(|option| option.known().map(|known| known.replacen('=', ":", 1))).collect()
    }

    fn profiles(&self) -> Option<Demand> {
        let Some(options) = self.options() else {
            return Some(self.runner.refuse("has options that a variable hides"));
        };
        let unconfined = options.iter().find(|option| option.ends_with(":unconfined"))?;
        Some(self.runner.refuse(format_args!("has `{unconfined}`: the calls that it makes are not known")))
    }

    fn capabilities(&self) -> Option<Demand> {
        let is_known = |texts: &[Text<'_>]| texts.iter().all(|text| text.known().is_some());
        let (added, dropped) = (self.service.list("cap_add"), self.service.list("cap_drop"));
        if !is_known(&added) || !is_known(&dropped) {
            return Some(self.runner.refuse("has capabilities that a variable hides"));
        }
        let name_of = |text: &Text<'_>| {
            let name = text.known().unwrap_or_default().to_ascii_uppercase();
            name.strip_prefix("CAP_").map(str::to_owned).unwrap_or(name)
        };
        if let Some(more) = added.iter().map(name_of).find(|name| name != "NET_BIND_SERVICE") {
            return Some(self.runner.is_given(&more));
        }
        if dropped.iter().map(name_of).any(|name| name == "ALL") {
            return None;
        }
        let setting = Setting::own(&["cap_drop"], Act::Append(Value::text("ALL")));
        Some(self.runner.drop_all("; Docker lets everybody open low ports", setting))
    }

    fn read_only(&self) -> Option<Demand> {
        match self.service.switch("read_only") {
            Some((Some(true), _)) => return None,
            Some((None, _)) => return Some(self.runner.refuse("may write where a variable says")),
            Some((Some(false), _)) | None => {}
        }
        if self.service.value("develop").is_some() {
            return Some(self.runner.refuse("gets files while it runs (`develop`), and so may write to its root"));
        }
        if let Some(kind) = ["secrets", "configs"].into_iter().find(|kind| !self.are_files(kind)) {
            return Some(self.runner.refuse(format_args!(
                "has {kind} that are not certainly files, which compose does not put into a container that may not write"
            )));
        }
        let open = match self.runner.unmounted(|path| self.is_mounted(path)) {
            Ok(open) => open,
            Err(demand) => return Some(demand),
        };
        let mut settings = vec![Setting::own(&["read_only"], Act::Set(Value::Word("true")))];
        let memory = open.iter().map(|place| Value::text(self.memory(&place.path)));
        settings.extend(memory.map(|item| Setting::own(&["tmpfs"], Act::Append(item))));
        Some(self.runner.write_only(&open, ", in memory ", settings))
    }

    /// Whether everything among its `secrets` or `configs` is a file.
    fn are_files(&self, kind: &str) -> bool {
        let Some(used) = self.service.value(kind) else { return true };
        let document = self.service.own().tree().documents().next();
        let made = document.and_then(|document| document.get(kind));
        let is_file = |item: Node<'_>| {
            let name = item.scalar().or_else(|| item.get("source")?.scalar());
            name.and_then(|name| made?.get(name)).is_some_and(|made| made.get("file").is_some())
        };
        used.is_sequence() && used.items().all(is_file)
    }

    /// Whether something that keeps what is written is mounted there or above.
    fn is_mounted(&self, path: &str) -> bool {
        let mounts = self.service.mounts();
        let is_here = |target: &str| is_in(path, target);
        mounts
            .iter()
            .any(|mount| mount.kind != ServiceMountKind::Unknown && mount.target.as_deref().is_some_and(is_here))
            || self.runner.needs.volumes.iter().any(|volume| is_in(path, volume))
    }

    /// An item of `tmpfs`.
    fn memory(&self, path: &str) -> String {
        let exec = if self.runner.needs.beside == Beside::Loader { "exec" } else { "" };
        let rights = match path {
            "/tmp" if self.runner.needs.beside == Beside::Nothing => "mode=1777".to_owned(),
            "/tmp" => String::new(),
            _ => format!("mode=755,uid={},gid={}", self.runner.needs.ids.uid, self.runner.needs.group()),
        };
        let options: Vec<&str> = [exec, rights.as_str()].into_iter().filter(|option| !option.is_empty()).collect();
        if options.is_empty() { path.to_owned() } else { format!("{path}:{}", options.join(",")) }
    }
}
