//! Packages of the distribution: which of those that the author installs the program needs when it runs.

use super::{
    Change, Evidence, Subject,
    effect::{Effect, Kind},
};
use crate::{
    knowledge::{PackageManager, Runtime},
    rule::Safety,
};
use std::collections::BTreeSet;

/// The programs that an image starts.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// Their names, without folder.
    pub names: BTreeSet<String>,
    /// Whether there are certainly no others.
    pub is_complete: bool,
    /// The tools that health checks of services around name, one of which may run the image.
    pub probing: Vec<&'static str>,
}

impl Programs {
    /// Whether `program` stays where the author installs it.
    pub(super) fn are_to_have(&self, program: &str) -> bool {
        self.names.contains(program) || self.probing.contains(&program)
    }
}

/// What of the author's packages goes into the new image.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The packages to install there, sorted.
    pub install: Vec<String>,
    /// What became of the others, each with its proof.
    pub changes: Vec<Change>,
    /// Development packages of which nobody knows what they need at run time: the first one's place.
    pub unknown: Option<Evidence>,
}

/// What of the packages that `effects` install is needed in an image of the same distribution and release that starts
/// `programs`.
pub fn kept(subject: &Subject<'_>, effects: &[Effect<'_>], programs: &Programs) -> Kept {
    let facts = subject.target.image_facts();
    let family = facts.and_then(|facts| facts.family.known().copied());
    let release = facts.and_then(|facts| facts.release.known().map(String::as_str));
    let mut install = BTreeSet::new();
    let mut found = Found::default();
    for effect in effects {
        let Kind::Packages { names, .. } = &effect.kind else { continue };
        for name in names {
            let place = || subject.evidence(effect.span, format!("installs `{name}`"));
            let runtime =
                family.map_or(Runtime::Unknown, |family| subject.cx.knowledge.runtime_of(family, release, name));
            match runtime {
                Runtime::Libraries(libraries) => {
                    install.extend(libraries.iter().map(ToString::to_string));
                    let shows = format!("`{name}`, which needs {} when it runs", listed(&libraries));
                    found.replaced.push(subject.evidence(effect.span, shows));
                }
                Runtime::BuildOnly => found.built.push(place()),
                Runtime::Comfort => found.comfort.push(place()),
                Runtime::Tool { programs: own } => {
                    let is_called = own.iter().any(|program| programs.are_to_have(program));
                    if is_called || !programs.is_complete && !is_fetcher(name) {
                        install.insert(name.clone());
                    } else {
                        found.uncalled.push(place());
                    }
                }
                Runtime::Present => {}
                Runtime::Needed => {
                    install.insert(name.clone());
                }
                Runtime::Unknown if is_fetcher(name) && !programs.are_to_have(name) => found.uncalled.push(place()),
                Runtime::Unknown => {
                    if is_development(name) {
                        found.unknown.get_or_insert_with(place);
                    }
                    install.insert(name.clone());
                }
            }
        }
    }
    // What the full base brings along and a smaller one does not.
    for program in programs.names.iter().filter(|name| is_fetcher(name)) {
        install.insert(program.clone());
    }
    Kept { install: install.into_iter().collect(), changes: found.changes(), unknown: found.unknown }
}

/// Whether a package serves to build, and not to run what was built.
pub fn is_for_building(subject: &Subject<'_>, name: &str) -> bool {
    let facts = subject.target.image_facts();
    let Some(family) = facts.and_then(|facts| facts.family.known().copied()) else { return false };
    let release = facts.and_then(|facts| facts.release.known().map(String::as_str));
    match subject.cx.knowledge.runtime_of(family, release, name) {
        Runtime::Libraries(_) | Runtime::BuildOnly => true,
        Runtime::Unknown => is_development(name),
        Runtime::Tool { .. } | Runtime::Needed | Runtime::Comfort | Runtime::Present => false,
    }
}

/// Why a package of `packages` may not be found by its name in a fresh image: a step says that packages come from
/// elsewhere than the distribution, and neither that address nor its key is in the new image.
pub fn foreign(subject: &Subject<'_>, effects: &[Effect<'_>], packages: &[String]) -> Option<String> {
    let adds = |effect: &&Effect<'_>| match &effect.kind {
        Kind::System(name) => is_about_repositories(name),
        _ => effect.fills().is_some_and(|places| places.known.iter().any(|path| is_of_repositories(path))),
    };
    let package = packages.iter().find(|name| !is_of_distribution(name))?;
    let effect = effects.iter().find(adds)?;
    let line = subject.cx.file.locate(effect.span.start).line;
    Some(format!("line {line} changes where packages come from, and `{package}` may come from there"))
}

/// Programs that say where packages of the distribution come from.
pub fn is_about_repositories(program: &str) -> bool {
    matches!(
        program,
        "add-apt-repository" | "apt-add-repository" | "apt-key" | "debconf-set-selections" | "yum-config-manager"
    )
}

/// Whether a file says where packages come from, or proves who made them: only a manager of packages reads it.
pub fn is_of_repositories(path: &str) -> bool {
    const PLACES: [&str; 6] = [
        "/etc/apt",
        "/etc/yum.repos.d",
        "/etc/apk/repositories",
        "/etc/apk/keys",
        "/etc/pki/rpm-gpg",
        "/usr/share/keyrings",
    ];
    PLACES.iter().any(|place| super::tree::below(path, place).is_some())
}

/// Whether a package has a name that hardly anybody but the distribution gives.
fn is_of_distribution(name: &str) -> bool {
    ["lib", "fonts-"].iter().any(|start| name.starts_with(start))
        || matches!(name, "ca-certificates" | "tzdata" | "locales" | "openssl" | "bash" | "tini" | "dumb-init")
}

#[derive(Default)]
struct Found {
    replaced: Vec<Evidence>,
    built: Vec<Evidence>,
    comfort: Vec<Evidence>,
    uncalled: Vec<Evidence>,
    unknown: Option<Evidence>,
}

impl Found {
    fn changes(&mut self) -> Vec<Change> {
        let change = |title: &'static str, reason: &'static str, evidence: &mut Vec<Evidence>| {
            (!evidence.is_empty()).then(|| Change {
                title: title.into(),
                safety: Safety::Risky,
                reason: reason.into(),
                evidence: std::mem::take(evidence),
            })
        };
        let all = [
            change(
                "Install libraries without what builds with them",
                "what a development package is built on is what the program loads",
                &mut self.replaced,
            ),
            change("Leave build tools in the build", "nothing is built where the program runs", &mut self.built),
            change("Leave out tools for people", "nobody works in the finished container", &mut self.comfort),
            change(
                "Leave out tools that nothing calls",
                "no start command, health check or program of the build context names them",
                &mut self.uncalled,
            ),
        ];
        all.into_iter().flatten().collect()
    }
}

/// Tools with which files are fetched and unpacked while an image is built, which programs hardly ever call.
pub(super) fn is_fetcher(package: &str) -> bool {
    matches!(package, "curl" | "wget" | "unzip" | "zip" | "git" | "gnupg" | "gnupg2" | "xz-utils" | "bzip2")
}

fn is_development(package: &str) -> bool {
    package.ends_with("-dev") || package.ends_with("-devel")
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The instruction that installs `packages` and leaves nothing else; `None` for a manager without a known way.
pub fn instruction(manager: PackageManager, packages: &[String]) -> Option<String> {
    let names = packages.join(" ");
    Some(match manager {
        PackageManager::Apt => format!(
            "RUN apt-get update \\\n    && apt-get install -y --no-install-recommends {names} \\\n    && rm -rf /var/lib/apt/lists/*"
        ),
        PackageManager::Apk => format!("RUN apk add --no-cache {names}"),
        PackageManager::Dnf => {
            format!("RUN dnf install -y --setopt=install_weak_deps=False {names} \\\n    && dnf clean all")
        }
        PackageManager::Microdnf => {
            format!("RUN microdnf install -y --setopt=install_weak_deps=0 {names} \\\n    && microdnf clean all")
        }
        PackageManager::Yum => format!("RUN yum install -y {names} \\\n    && yum clean all"),
        PackageManager::Tdnf
        | PackageManager::Zypper
        | PackageManager::Pacman
        | PackageManager::Emerge
        | PackageManager::Swupd
        | PackageManager::Urpmi
        | PackageManager::Xbps
        | PackageManager::Slackpkg
        | PackageManager::Nix
        | PackageManager::Opkg => return None,
    })
}
