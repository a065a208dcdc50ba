//! What is known of one image: the blocks of its entry that hold for the tag, then what it takes over from its base.

use super::{
    Date, Fact, Knowledge, Tag,
    confined::Capabilities,
    distribution::{self, Release},
    entry::{Block, Entry, Known, Part},
    pattern::{self, Bindings},
};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};

/// Where a chain of bases is cut; the longest real one has five.
const DEEPEST_BASE: usize = 8;

/// What is known of one image. Every answer has a source, or is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// The image that this one is built from, as a reference; without a tag where the tag is not told.
    pub base: Fact<String>,
    /// Who runs it.
    pub user: Fact<User>,
    /// The user without privileges that it ships for applications; `None`: it ships none.
    pub identity: Fact<Option<Identity>>,
    /// How its own start command gives up being root.
    pub step_down: Fact<StepDown>,
    /// Whether its start command also works for a user that it does not know.
    pub any_user: Fact<bool>,
    /// The start command.
    pub entrypoint: Fact<Vec<String>>,
    /// The distribution.
    pub family: Fact<Family>,
    /// The distribution's name within a family of many (`centos`, `rocky`), else empty.
    pub distribution: Fact<String>,
    /// The release of the distribution, as a number (`12`, `22.04`, `3.20`).
    pub release: Fact<String>,
    /// The package manager; `None`: it has none.
    pub package_manager: Fact<Option<PackageManager>>,
    /// The shells in it, by path; empty: it has none.
    pub shell: Fact<Vec<String>>,
    /// The C library; `None`: it has none.
    pub libc: Fact<Option<Libc>>,
    /// What the start command is given where nobody gives it anything.
    pub command: Fact<Vec<String>>,
    /// The ports it exposes.
    pub ports: Fact<Vec<Port>>,
    /// Directories that it declares to be volumes: engines give it one where nobody mounts anything there.
    pub volumes: Fact<Vec<String>>,
    /// Directories where its program keeps what has to outlive the container.
    pub data: Fact<Vec<String>>,
    /// Directories beside those of its data that its program writes to while it runs; what is there need not outlive it.
    pub writable: Fact<Vec<String>>,
    /// Directories where its start command looks for what to write somewhere else in the image.
    pub templates: Fact<Vec<String>>,
    /// What its program needs of the capabilities that engines give.
    pub capabilities: Fact<Capabilities>,
    /// Variables that name a file which holds what the variable without `_FILE` would; `*` stands for anything.
    pub secret_files: Fact<Vec<String>>,
    /// Variables that it certainly sets, by name; of others nothing is known.
    pub environment: Fact<BTreeMap<String, String>>,
    /// Where its commands start.
    pub workdir: Fact<String>,
    /// The same thing with less in it, as a reference.
    pub slim: Fact<String>,
    /// What a built program needs and no more, as a reference.
    pub runtime: Fact<String>,
    /// The same thing without a shell, as a reference.
    pub shell_less: Fact<String>,
    /// What it is for.
    pub role: Fact<Role>,
    /// Whether it is made to be a small base of a final image.
    pub minimal: Fact<bool>,
    /// The day after which what it ships gets no more updates.
    pub end_of_life: Fact<Date>,
    /// The day after which its distribution gets no more updates.
    pub distribution_end_of_life: Fact<Date>,
    /// Its publisher has given the whole image up, or this series of it.
    pub deprecated: Fact<Deprecation>,
}

impl ImageFacts {
    /// The earlier of the ends of what it ships and of its distribution.
    pub fn first_end_of_life(&self) -> &Fact<Date> {
        match (self.end_of_life.known(), self.distribution_end_of_life.known()) {
            (Some(own), Some(distribution)) if distribution < own => &self.distribution_end_of_life,
            (None, _) => &self.distribution_end_of_life,
            (Some(_), _) => &self.end_of_life,
        }
    }

    /// Whether it has no shell at all.
    pub fn has_no_shell(&self) -> bool {
        self.shell.known().is_some_and(Vec::is_empty)
    }
}

/// Who runs an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User {
    /// As the image's configuration writes it; empty where it says nothing, which is root.
    pub written: String,
    /// The name, where it has one.
    pub name: Option<String>,
    /// The number.
    pub uid: Option<u32>,
    /// The number of the primary group.
    pub gid: Option<u32>,
}

impl User {
    /// Root, as an image that says nothing.
    pub fn root() -> Self {
        Self { written: String::new(), name: Some("root".to_owned()), uid: Some(0), gid: Some(0) }
    }

    /// Whether it is the administrator of the system.
    pub fn is_root(&self) -> bool {
        match self.uid {
            Some(uid) => uid == 0,
            None => self.written.is_empty() || self.written.eq_ignore_ascii_case("ContainerAdministrator"),
        }
    }
}

/// A user without privileges that an image ships for applications.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: Option<u32>,
    /// The number of its primary group.
    pub gid: Option<u32>,
    /// Its home.
    pub home: Option<String>,
}

/// How a start command gives up being root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepDown {
    /// It does not: what it starts runs as the image's user.
    None,
    /// `gosu`.
    Gosu,
    /// `su-exec`.
    SuExec,
    /// `setpriv`.
    Setpriv,
    /// `runuser`.
    Runuser,
    /// `chpst`, `setuidgid` and their like.
    Chpst,
    /// `su`.
    Su,
    /// `sudo`.
    Sudo,
    /// s6-overlay: services drop, its first process must be root.
    S6,
    /// The server itself: a master as root, workers as another user.
    Workers,
    /// The server itself: the whole process changes its user after the start.
    Itself,
}

/// The distribution an image is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Debian.
    Debian,
    /// Ubuntu.
    Ubuntu,
    /// Alpine.
    Alpine,
    /// Red Hat Enterprise Linux and those that share its packages: UBI, `CentOS`, Rocky, Alma, Oracle, Fedora.
    Rhel,
    /// Amazon Linux.
    Amazon,
    /// openSUSE and SUSE.
    Suse,
    /// Arch.
    Arch,
    /// Gentoo.
    Gentoo,
    /// Azure Linux and CBL-Mariner.
    Azurelinux,
    /// Photon.
    Photon,
    /// Wolfi and Chainguard OS.
    Wolfi,
    /// Clear Linux.
    Clearlinux,
    /// Mageia and its like.
    Mageia,
    /// Slackware.
    Slackware,
    /// Void.
    Void,
    /// Nix and Guix.
    Nix,
    /// `BusyBox` on nothing else.
    Busybox,
    /// Files of a distribution without its shell and package manager.
    Distroless,
    /// A program on nothing.
    Scratch,
    /// Windows.
    Windows,
    /// A Linux of none of these families.
    Other,
}

/// What installs packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageManager {
    /// `apt`.
    Apt,
    /// `apk`.
    Apk,
    /// `dnf`.
    Dnf,
    /// `microdnf`.
    Microdnf,
    /// `yum`.
    Yum,
    /// `tdnf`.
    Tdnf,
    /// `zypper`.
    Zypper,
    /// `pacman`.
    Pacman,
    /// `emerge`.
    Emerge,
    /// `swupd`.
    Swupd,
    /// `urpmi`.
    Urpmi,
    /// `xbps`.
    Xbps,
    /// `slackpkg`.
    Slackpkg,
    /// `nix`.
    Nix,
    /// `opkg`.
    Opkg,
}

/// The C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Libc {
    /// The GNU one.
    Glibc,
    /// musl.
    Musl,
    /// uClibc.
    Uclibc,
}

/// A port that an image exposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

/// The protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A distribution.
    Os,
    /// A language: what is needed to run and, mostly, to build.
    Language,
    /// Compilers and build tools: not needed once the program is built.
    Build,
    /// What a built program needs to run.
    Runtime,
    /// A database.
    Database,
    /// A server for others to configure or extend.
    Server,
    /// A command for people and pipelines.
    Tool,
    /// A finished application.
    Application,
}

/// A publisher's word that an image is given up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deprecation {
    /// Since when, where it is said.
    pub since: Option<Date>,
    /// What to use instead, as a reference.
    pub replacement: Option<String>,
}

/// What `entry` says of the image of `tag`; `depth` images are built on it.
pub(super) fn facts(knowledge: &Knowledge, entry: &Entry<'_>, tag: Tag<'_>, depth: usize) -> ImageFacts {
    let layers = layers(entry, tag);
    let pick = Picker { layers: &layers, tag };
    let base = pick.template_of_system(|block| block.base.as_ref());
    let below = base.known().filter(|_| depth < DEEPEST_BASE).and_then(|base| base_facts(knowledge, base, depth));
    let mut facts = own_facts(&pick, base);
    if let Some(below) = below {
        inherit(&mut facts, &below, &pick);
    }
    complete(&mut facts);
    facts
}

/// A block that holds for the tag, with what its pattern bound.
type Layer<'a> = (&'a Block, Bindings<'a>);

/// The blocks to ask, the last word first. For an unknown tag, the fields that depend on it are masked.
fn layers<'a>(entry: &'a Entry<'a>, tag: Tag<'a>) -> Vec<Layer<'a>> {
    let holds = |part: &'a Part<'a>| match tag {
        Tag::Named(tag) => part.holds_for(tag),
        Tag::Any => Some(Bindings::default()),
    };
    let layer = |part: &'a Part<'a>| {
        let bindings = holds(part)?;
        Some((part.block()?, bindings))
    };
    entry.parts.iter().rev().filter_map(layer).collect()
}

/// Asks the blocks for one field after another.
struct Picker<'a> {
    layers: &'a [Layer<'a>],
    tag: Tag<'a>,
}

impl<'a> Picker<'a> {
    /// The first block that speaks of a field decides. Under an unknown tag a block with a condition answers nothing.
    fn speaker<T>(
        &self,
        field: impl Fn(&'a Block) -> Option<&'a Known<T>>,
    ) -> Option<(&'a Known<T>, &'a Bindings<'a>)> {
        let (block, bindings) = self.layers.iter().find(|(block, _)| field(block).is_some())?;
        match self.tag {
            Tag::Any if block.is_conditional() => None,
            Tag::Any | Tag::Named(_) => Some((field(block)?, bindings)),
        }
    }

    fn value<T: Clone + 'a>(&self, field: impl Fn(&'a Block) -> Option<&'a Known<T>>) -> Fact<T> {
        self.speaker(field).map_or(Fact::Unknown, |(known, _)| known.0.clone())
    }

    fn template(&self, field: impl Fn(&'a Block) -> Option<&'a Known<String>>) -> Fact<String> {
        let tag = match self.tag {
            Tag::Named(tag) => Some(tag),
            Tag::Any => None,
        };
        match self.speaker(field) {
            Some((Known(Fact::Known(value)), bindings)) => bindings.fill(value, tag).map_or(Fact::Unknown, Fact::Known),
            Some((Known(Fact::Unknown), _)) | None => Fact::Unknown,
        }
    }

    /// As `value`, for what belongs to the distribution: a block that changes the base ends the search, because what
    /// earlier blocks say of the distribution is about another one.
    fn of_system<T: Clone + 'a>(&self, field: impl Fn(&'a Block) -> Option<&'a Known<T>>) -> Fact<T> {
        self.value(|block| field(block).or_else(|| block.changes_system().then_some(&Known(Fact::Unknown))))
    }

    fn template_of_system(&self, field: impl Fn(&'a Block) -> Option<&'a Known<String>>) -> Fact<String> {
        self.template(|block| field(block).or_else(|| block.changes_system().then_some(&Known(Fact::Unknown))))
    }

    fn speaks_of<T: 'a>(&self, field: impl Fn(&'a Block) -> Option<&'a Known<T>>) -> bool {
        self.layers.iter().any(|(block, _)| field(block).is_some())
    }

    /// As `speaks_of`, up to the block that changes the base.
    fn speaks_of_own_system<T: 'a>(&self, field: impl Fn(&'a Block) -> Option<&'a Known<T>>) -> bool {
        let speaks = |block: &'a Block| field(block).is_some();
        self.layers
            .iter()
            .find(|(block, _)| speaks(block) || block.changes_system())
            .is_some_and(|(block, _)| speaks(block))
    }

    fn end_of_life(&self) -> Fact<Date> {
        let Tag::Named(tag) = self.tag else { return Fact::Unknown };
        let ends = self.layers.iter().flat_map(|(block, _)| &block.end_of_life);
        ends.filter(|(version, _)| pattern::begins_with_version(tag, version))
            .max_by_key(|(version, _)| version.len())
            .map_or(Fact::Unknown, |(_, known)| known.0.clone())
    }
}

fn own_facts(pick: &Picker<'_>, base: Fact<String>) -> ImageFacts {
    ImageFacts {
        base,
        user: pick.value(|block| block.user.as_ref()),
        identity: pick.value(|block| block.identity.as_ref()),
        step_down: pick.value(|block| block.step_down.as_ref()),
        any_user: pick.value(|block| block.any_user.as_ref()),
        entrypoint: pick.value(|block| block.entrypoint.as_ref()),
        family: pick.of_system(|block| block.family.as_ref()),
        distribution: pick.of_system(|block| block.distribution.as_ref()),
        release: pick.template_of_system(|block| block.release.as_ref()),
        package_manager: pick.of_system(|block| block.package_manager.as_ref()),
        shell: pick.of_system(|block| block.shell.as_ref()),
        libc: pick.of_system(|block| block.libc.as_ref()),
        command: pick.value(|block| block.command.as_ref()),
        ports: pick.value(|block| block.ports.as_ref()),
        volumes: pick.value(|block| block.volumes.as_ref()),
        data: pick.value(|block| block.data.as_ref()),
        writable: pick.value(|block| block.writable.as_ref()),
        templates: pick.value(|block| block.templates.as_ref()),
        capabilities: pick.value(|block| block.capabilities.as_ref()),
        secret_files: pick.value(|block| block.secret_files.as_ref()),
        environment: pick.value(|block| block.environment.as_ref()),
        workdir: pick.value(|block| block.workdir.as_ref()),
        slim: pick.template(|block| block.slim.as_ref()),
        runtime: pick.template(|block| block.runtime.as_ref()),
        shell_less: pick.template(|block| block.shell_less.as_ref()),
        role: pick.value(|block| block.role.as_ref()),
        minimal: pick.value(|block| block.minimal.as_ref()),
        end_of_life: pick.end_of_life(),
        distribution_end_of_life: Fact::Unknown,
        deprecated: pick.value(|block| block.deprecated.as_ref()),
    }
}

fn base_facts(knowledge: &Knowledge, base: &str, depth: usize) -> Option<Arc<ImageFacts>> {
    let after_host = base.find('/').map_or(0, |slash| slash + 1);
    match base[after_host..].find(':').map(|colon| base.split_at(after_host + colon)) {
        Some((repository, tag)) => knowledge.facts(repository, Tag::Named(&tag[1..]), depth + 1),
        None => knowledge.facts(base, Tag::Any, depth + 1),
    }
}

/// Takes over from the base what the image itself says nothing about, as a build does. A field that the image calls
/// unknown stays unknown.
fn inherit(facts: &mut ImageFacts, below: &ImageFacts, pick: &Picker<'_>) {
    fn take<T: Clone>(own: &mut Fact<T>, spoken: bool, below: &Fact<T>) {
        if !spoken {
            own.clone_from(below);
        }
    }
    take(&mut facts.user, pick.speaks_of(|block| block.user.as_ref()), &below.user);
    take(&mut facts.identity, pick.speaks_of(|block| block.identity.as_ref()), &below.identity);
    take(&mut facts.ports, pick.speaks_of(|block| block.ports.as_ref()), &below.ports);
    take(&mut facts.workdir, pick.speaks_of(|block| block.workdir.as_ref()), &below.workdir);
    match (&mut facts.environment, &below.environment) {
        (Fact::Known(own), Fact::Known(below)) => {
            for (name, value) in below {
                own.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        (own, below) => take(own, pick.speaks_of(|block| block.environment.as_ref()), below),
    }
    if !pick.speaks_of(|block| block.entrypoint.as_ref()) && !pick.speaks_of(|block| block.step_down.as_ref()) {
        facts.step_down.clone_from(&below.step_down);
        take(&mut facts.any_user, pick.speaks_of(|block| block.any_user.as_ref()), &below.any_user);
        facts.entrypoint.clone_from(&below.entrypoint);
    }
    take(&mut facts.family, pick.speaks_of_own_system(|block| block.family.as_ref()), &below.family);
    take(&mut facts.distribution, pick.speaks_of_own_system(|block| block.distribution.as_ref()), &below.distribution);
    take(&mut facts.release, pick.speaks_of_own_system(|block| block.release.as_ref()), &below.release);
    take(
        &mut facts.package_manager,
        pick.speaks_of_own_system(|block| block.package_manager.as_ref()),
        &below.package_manager,
    );
    take(&mut facts.shell, pick.speaks_of_own_system(|block| block.shell.as_ref()), &below.shell);
    take(&mut facts.libc, pick.speaks_of_own_system(|block| block.libc.as_ref()), &below.libc);
    take(&mut facts.distribution_end_of_life, false, &below.distribution_end_of_life);
}

/// Looks the release up in the table of distributions.
fn complete(facts: &mut ImageFacts) {
    let (Some(family), Some(name)) = (facts.family.known(), facts.release.known()) else { return };
    let distribution = facts.distribution.known().map_or("", String::as_str);
    let Some(Release { number, end_of_life, .. }) = distribution::release(*family, distribution, name) else { return };
    facts.distribution_end_of_life = end_of_life.clone();
    facts.release = Fact::Known(number.clone());
}
