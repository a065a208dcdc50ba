//! How an image starts, and whether what starts it must be root or gives root up by itself.
//!
//! Facts: GitHub's Dockerfile support for actions, Docker Hub documentation of images with step-down entry points,
//! s6-overlay, systemd in containers.

use super::{path::file_name, script::StepCommand, stage::Stage, step::Step};
use crate::{
    knowledge::{Family, ImageFacts, RULESET_DATE, Role, StepDown},
    syntax::{
        dockerfile::Keyword,
        shell::{Invocation, Script, Wrapper},
    },
};

/// Why a process that is started as root is not a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RootReason {
    /// The base image's own entry point becomes another user.
    BaseStepsDown,
    /// The start command, or a program that the image gets for it, becomes another user.
    StepsDown,
    /// An init system starts services, each as its own user.
    Init,
    /// A service that logs users in or runs jobs as them.
    Service,
    /// A container engine, or an agent of a node.
    Engine,
    /// The platform that runs it chooses the user.
    Platform,
    /// Windows has other users.
    Windows,
}

impl<'m> Stage<'m> {
    /// The `ENTRYPOINT` and `CMD` in force, as far as the file says them.
    pub fn start_steps(self) -> Vec<Step<'m>> {
        let mut entrypoint = None;
        let mut command = None;
        for stage in self.chain() {
            for step in stage.steps().rev() {
                match step.keyword() {
                    Keyword::Entrypoint if entrypoint.is_none() => entrypoint = Some(step),
                    // An `ENTRYPOINT` of a later stage resets the `CMD` of an earlier one.
                    Keyword::Cmd
                        if command.is_none() && entrypoint.is_none_or(|e: Step<'_>| e.stage() == step.stage()) =>
                    {
                        command = Some(step);
                    }
                    _ => {}
                }
            }
        }
        entrypoint.into_iter().chain(command).collect()
    }

    /// What is known of the image that the chain of stages starts from.
    pub fn image_facts(self) -> Option<&'m ImageFacts> {
        self.named_image().and_then(|image| image.facts.as_deref())
    }

    /// Whether its base or the distribution of it had ended when the rulesets were closed, or nobody builds the base
    /// any more: its certificates and keys are old.
    pub fn is_of_ended_distribution(self) -> bool {
        self.image_facts().is_some_and(|facts| {
            let has_ended = facts.distribution_end_of_life.known().is_some_and(|end| *end < RULESET_DATE);
            let has_end = facts.first_end_of_life().known().is_some_and(|end| *end < RULESET_DATE);
            has_ended || has_end || facts.deprecated.is_known()
        })
    }

    /// Why it is right that the image starts as root, as far as the file and what is known of its base tell.
    pub fn root_reason(self) -> Option<RootReason> {
        if self.is_windows() {
            return Some(RootReason::Windows);
        }
        let start = self.start_steps();
        self.base_reason(&start)
            .or_else(|| start.iter().flat_map(|step| step.commands()).find_map(reason_of_command))
            .or_else(|| self.reason_of_contents(&start))
    }

    /// Whether it is a Windows image.
    pub fn is_windows(self) -> bool {
        let of_base = self.image_facts().is_some_and(|facts| facts.family.known() == Some(&Family::Windows));
        let of_name = self.named_image().is_some_and(|image| {
            let name = image.reference.text().to_ascii_lowercase();
            name.contains("windows") || name.contains("nanoserver") || name.contains("servercore")
        });
        of_base || of_name || self.model().syntax.escape == b'`'
    }

    fn base_reason(self, start: &[Step<'_>]) -> Option<RootReason> {
        let image = self.named_image()?;
        let name = image.reference.name();
        if name.starts_with("public.ecr.aws/lambda/")
            || name.starts_with("docker.io/amazon/aws-lambda-")
            || name.contains("devcontainers/")
        {
            return Some(RootReason::Platform);
        }
        if name == "docker.io/library/docker" || name.ends_with("/dind") {
            return Some(RootReason::Engine);
        }
        if name.starts_with("docker.io/linuxserver/")
            || name.starts_with("ghcr.io/linuxserver/")
            || name.starts_with("lscr.io/linuxserver/")
            || name.starts_with("docker.io/phusion/")
        {
            return Some(RootReason::Init);
        }
        let step_down = *image.facts.as_ref()?.step_down.known()?;
        let replaced = start.iter().find(|step| step.keyword() == Keyword::Entrypoint);
        // An entry point of the project's own may still hand over to the one of the base.
        let hands_over = replaced.is_none_or(|step| {
            step.commands().any(|command| {
                command.command.words().any(|word| word.text().contains("docker-entrypoint") || word.text() == "/init")
            })
        });
        // Entry points of databases become another user for their server alone, and run anything else as it is.
        let is_database = image.facts.as_ref()?.role.known() == Some(&Role::Database);
        let hands_over = hands_over && !(is_database && start.iter().any(|step| starts_own_script(*step)));
        match step_down {
            StepDown::None | StepDown::Workers => None,
            StepDown::S6 => Some(RootReason::Init),
            StepDown::Itself
            | StepDown::Gosu
            | StepDown::SuExec
            | StepDown::Setpriv
            | StepDown::Runuser
            | StepDown::Chpst
            | StepDown::Su
            | StepDown::Sudo => hands_over.then_some(RootReason::BaseStepsDown),
        }
    }

    /// A program for stepping down that the image gets, and an entry script of its own that can use it.
    fn reason_of_contents(self, start: &[Step<'_>]) -> Option<RootReason> {
        let has_script = start.iter().flat_map(|step| step.commands()).any(|command| {
            let path = command.invocation().and_then(Invocation::path);
            path.is_some_and(|path| {
                path.ends_with(".sh")
                    || path.contains("entrypoint")
                    || path.contains("start")
                    || path.contains("run")
                    || path.contains("init")
            })
        });
        let variables =
            ["PUID", "PGID", "S6_VERSION", "S6_OVERLAY_VERSION", "S6_KEEP_ENV", "S6_BEHAVIOUR_IF_STAGE2_FAILS"];
        if variables.iter().any(|name| self.variable(name).is_some()) {
            return Some(RootReason::Init);
        }
        let source = &self.model().file.text;
        let gets_program = || {
            self.chain().flat_map(Stage::steps).any(|step| {
                let text = step.instruction().span.of(source);
                matches!(step.keyword(), Keyword::Run | Keyword::Copy | Keyword::Add)
                    && ["gosu", "su-exec", "s6-overlay", "s6-setuidgid", "setuidgid"]
                        .iter()
                        .any(|name| memchr::memmem::find(text, name.as_bytes()).is_some())
            })
        };
        (has_script && gets_program()).then_some(RootReason::StepsDown)
    }
}

/// Whether `CMD` starts a script of the project's own, in the place of the server that the base image is for.
///
/// Facts: the entry points of the official images of Redis, `PostgreSQL`, `MySQL`, `MariaDB` and `MongoDB` look at the first
/// word of the command, and `exec` what is neither an option nor their server.
fn starts_own_script(step: Step<'_>) -> bool {
    let program = step.commands().next().and_then(|command| command.invocation()?.path());
    step.keyword() == Keyword::Cmd
        && program.is_some_and(|path| path.ends_with(".sh") && !path.contains("docker-entrypoint"))
}

/// Why a command of the start must be root, or gives it up.
fn reason_of_command(command: StepCommand<'_>) -> Option<RootReason> {
    let invocation = command.invocation()?;
    if invocation.is_wrapped_by(Wrapper::StepDown) || invocation.is_wrapped_by(Wrapper::Elevate) {
        return Some(RootReason::StepsDown);
    }
    reason_of_program(invocation.path()?)
}

fn reason_of_program(path: &str) -> Option<RootReason> {
    if matches!(
        path,
        "/init"
            | "/sbin/init"
            | "/usr/sbin/init"
            | "/lib/systemd/systemd"
            | "/usr/lib/systemd/systemd"
            | "/sbin/my_init"
    ) {
        return Some(RootReason::Init);
    }
    let name = file_name(path);
    match name {
        "gosu" | "su-exec" | "setpriv" | "runuser" | "chpst" | "su" | "setuidgid" | "s6-setuidgid" | "sudo"
        | "setuser" => Some(RootReason::StepsDown),
        "systemd" | "s6-svscan" | "runsvdir" | "runit" | "my_init" | "runsvdir-start" | "openrc-init" => {
            Some(RootReason::Init)
        }
        "sshd" | "cron" | "crond" | "anacron" | "xinetd" | "vsftpd" | "proftpd" | "smbd" | "dovecot" | "postfix"
        | "inetd" | "fcron" | "supercronic-root" => Some(RootReason::Service),
        "dockerd"
        | "dockerd-entrypoint.sh"
        | "containerd"
        | "kubelet"
        | "kube-proxy"
        | "buildkitd"
        | "crio"
        | "iptables"
        | "openvpn"
        | "wg-quick"
        | "keepalived"
        | "chronyd"
        | "ntpd" => Some(RootReason::Engine),
        _ if name.contains("csi") && (name.contains("driver") || name.contains("plugin") || name.contains("node")) => {
            Some(RootReason::Engine)
        }
        _ if name.ends_with("-cni") || name.contains("node-agent") || name.contains("device-plugin") => {
            Some(RootReason::Engine)
        }
        _ => None,
    }
}

/// Why a script that starts an image must be root, or gives it up: what an entry script of the build context does.
pub fn root_reason_of_script(script: &Script) -> Option<RootReason> {
    script.every_command().find_map(|command| {
        let invocation = command.invocation()?;
        if invocation.is_wrapped_by(Wrapper::StepDown) {
            return Some(RootReason::StepsDown);
        }
        reason_of_program(invocation.path()?)
    })
}
