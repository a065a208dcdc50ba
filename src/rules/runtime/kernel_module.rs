//! A container that loads kernel modules changes the host.

use crate::{
    model::{DockerfileModel, Step},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "kernel-module",
        title: "Kernel module loaded from a container",
        why: "The kernel is the host's: loading a module needs a capability that is as good as root on the host, and a module does what it wants.",
        remedy: "Load the module on the host, before the container starts.",
        group: Group::Runtime,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.4"),
            Reference::new(Scheme::Nist800190, "4.5.5"),
            Reference::new(Scheme::Cwe, "250"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "When the container starts",
                "FROM debian:13\nCMD «modprobe wireguard» && exec wg-quick up wg0\n",
                "FROM debian:13\nCMD [\"wg-quick\", \"up\", \"wg0\"]\n",
            ),
            Example::new(
                "While the image is built",
                "FROM debian:13\nRUN «insmod /lib/x.ko»\n",
                "FROM debian:13\nRUN modprobe --version\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

const REFUSAL: &str = "the host has to load the module first";

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    if !cx.model.may_run(Step::KERNEL_PROGRAMS) {
        return;
    }
    for step in cx.model.built_steps() {
        for reach in step.kernel_modules() {
            out.report(reach.span, format!("`{}` changes the kernel of the host", reach.what)).decline(REFUSAL);
        }
    }
}
