//! What nobody but its users can do for a hardened image.
//!
//! Facts: Docker 20.10 sets `net.ipv4.ip_unprivileged_port_start` to 0 in containers, CRI-O leaves it at 1024; a volume
//! keeps the owners of what was written into it.

use crate::{
    model::{DockerfileModel, Ports, Stage, Step},
    syntax::dockerfile::{Arguments, Keyword},
};

/// The first port that every user may open wherever a container runs.
const FIRST_FREE: u16 = 1024;

/// Sentences about the finished image of `model`, where it runs as somebody else than root.
pub fn of_unprivileged(model: &DockerfileModel<'_>) -> Vec<String> {
    let Some(target) = model.target().filter(|target| target.user().user.is_unprivileged()) else { return Vec::new() };
    let user = target.user().value.known().filter(|user| !user.is_empty()).map_or("its user", |user| user);
    let ports = low_ports(target);
    let mut notes = Vec::new();
    if !ports.is_empty() {
        notes.push(format!(
            "Port {} stays: Docker since 20.10 and containerd let a user who is not root open it; CRI-O, and older \
             engines, need `net.ipv4.ip_unprivileged_port_start=0` as a sysctl of the pod, or the capability \
             `NET_BIND_SERVICE`",
            ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ));
    }
    if let Some(line) = sudo_without_password(target) {
        notes.push(format!(
            "Line {line} lets the image's user become root by `sudo` without a password: take that out, unless people \
             work in the container and need it"
        ));
    }
    if let Some(path) = volume(target) {
        notes.push(format!(
            "A volume at `{path}` that containers of root have written belongs to root: `chown -R {user}` it once"
        ));
    }
    notes
}

fn low_ports(target: Stage<'_>) -> Vec<u16> {
    let exposed = target.chain_steps().flat_map(Step::exposed_ports);
    let mut ports: Vec<u16> =
        exposed.map(|(Ports { first, .. }, _)| first).filter(|port| (1..FIRST_FREE).contains(port)).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// The line that lets somebody become root without a password, where `sudo` stays in the image.
fn sudo_without_password(target: Stage<'_>) -> Option<u32> {
    let tells = |step: &Step<'_>| {
        step.keyword() == Keyword::Run && step.scripts_hold("NOPASSWD") && step.scripts_hold("sudoers")
    };
    target.chain_steps().find(tells).map(|step| step.instruction().lines.0)
}

/// The first path that is declared to be a volume.
fn volume(target: Stage<'_>) -> Option<String> {
    let step = target.chain_steps().find(|step| step.keyword() == Keyword::Volume)?;
    let (Arguments::Json(words) | Arguments::Words(words)) = step.arguments() else { return None };
    words.iter().find_map(|word| step.absolute_arg(word)).filter(|path| path != "/tmp")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        knowledge::Knowledge,
        source::{FileKind, SourceFile},
        syntax::dockerfile,
        text::FileId,
    };

    #[test]
    fn who_may_become_root_without_a_password_is_told() {
        let text = "FROM debian:12\nRUN useradd -u 1000 a && echo \"a ALL=(ALL) NOPASSWD:ALL\" >> /etc/sudoers\nUSER 1000:1000\n";
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
        let parsed = dockerfile::parse(&file.text);
        let knowledge = Knowledge::builtin();
        let notes = of_unprivileged(&DockerfileModel::new(&file, &parsed.tree, &knowledge));
        assert!(notes[0].starts_with("Line 2 lets the image's user become root"), "{notes:?}");
    }
}
