//! An image that starts as root gives a broken program everything in the container.

use crate::{
    knowledge::StepDown,
    model::{
        DockerfileModel, Stage, UserOrigin,
        graph::{Caller, Callers},
    },
    rewrite::user,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "root-user",
        title: "Image runs as root",
        why: "Whoever breaks into the program is root in the container: every file of the image is theirs, and any hole in the kernel or the engine, or any mounted directory, is one step from the host.",
        remedy: "Create a user without privileges, give it the directories that the program writes, and end the stage with `USER` and its number.",
        group: Group::User,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "A user without privileges is made or found, owns what the program is seen to write, and starts the image; only a start proves that nothing else is written.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.1"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::NsaCisa, "Non-root containers and rootless container engines"),
            Reference::new(Scheme::Cwe, "250"),
        ],
        equivalents: &[
            "hadolint:DL3002",
            "checkov:CKV_DOCKER_3",
            "checkov:CKV_DOCKER_8",
            "trivy:DS-0002",
            "semgrep:last-user-is-root",
            "semgrep:missing-user",
            "semgrep:missing-user-entrypoint",
            "kics:fd54f200-402c-4333-a5a4-36ef6709af2f",
            "kics:67fd0c4a-68cf-46d7-8c41-bc9fba7e40ae",
        ],
        examples: &[
            Example::new(
                "A user for a program that writes in two places",
                "-- Dockerfile --\nFROM «python:3.13»\nWORKDIR /app\nCOPY . .\nCMD [\"python\", \"app.py\"]\n-- app.py --\nfrom pathlib import Path\nBASE = Path(__file__).parent\nUPLOADS = BASE / \"uploads\"\nUPLOADS.mkdir(exist_ok=True)\ndb = sqlite3.connect(BASE / \"instance\" / \"app.db\")\n",
                "-- Dockerfile --\nFROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN groupadd --system --gid 10001 app \\\n    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \\\n    && mkdir -p /app/instance /app/uploads \\\n    && chown -R 10001:10001 /app/instance /app/uploads\nUSER 10001:10001\nCMD [\"python\", \"app.py\"]\n-- app.py --\nfrom pathlib import Path\nBASE = Path(__file__).parent\nUPLOADS = BASE / \"uploads\"\nUPLOADS.mkdir(exist_ok=True)\ndb = sqlite3.connect(BASE / \"instance\" / \"app.db\")\n",
            ),
            Example::new(
                "Back to root for a step, and left there",
                "FROM node:24\nUSER «root»\nRUN npm install -g pm2\nCMD [\"pm2-runtime\", \"app.js\"]\n",
                "FROM node:24\nUSER root\nRUN npm install -g pm2\nUSER 1000:1000\nCMD [\"pm2-runtime\", \"app.js\"]\n",
            ),
            Example::new(
                "Builders may be root; the base of the last stage says who runs it",
                "FROM golang:1.26 AS build\nFROM «gcr.io/distroless/static-debian13»\nCOPY --from=build /app /app\nCMD [\"/app\"]\n",
                "FROM golang:1.26 AS build\nFROM gcr.io/distroless/static-debian13\nCOPY --from=build /app /app\nUSER 65532:65532\nCMD [\"/app\"]\n",
            ),
            Example::new(
                "The user that the file makes gets a number, and runs the image",
                "FROM «debian:13»\nRUN useradd --create-home worker\nCOPY app /usr/bin/app\n# Starts at once.\nCMD [\"app\"]\n",
                "FROM debian:13\nRUN useradd --uid 1000 --create-home worker\nCOPY app /usr/bin/app\nUSER 1000\n# Starts at once.\nCMD [\"app\"]\n",
            ),
            Example::new(
                "A program in the home of root cannot start as somebody else",
                "FROM «debian:13»\nENV PATH=/root/.local/bin:$PATH\nCMD [\"uv\", \"run\", \"app.py\"]\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y gosu\nENTRYPOINT [\"gosu\", \"nobody\", \"app\"]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let Some(target) = cx.model.target() else { return };
    if !target.user().is_root() {
        if target.user().is_unknown() {
            out.decline(
                target.base_span(),
                "nothing is known of the user of the base image: look it up before naming one",
            );
        }
        return;
    }
    if let Some(reason) = user::why_root(cx, target) {
        out.decline(target.base_span(), reason);
        return;
    }
    let (span, message) = match target.user().origin {
        UserOrigin::Instruction { span, .. } => (span, "the image runs as root, which `USER` says last".to_owned()),
        UserOrigin::BaseImage { .. } => (
            target.base_span(),
            match target.image() {
                Some(image) => format!(
                    "the image runs as root, as `{}` does, and no `USER` says otherwise",
                    image.reference.text()
                ),
                None => "the image runs as root: no `USER` says otherwise".to_owned(),
            },
        ),
        UserOrigin::Nobody => (
            target.base_span(),
            "the image runs as root: `scratch` has no user, and no `USER` says otherwise".to_owned(),
        ),
    };
    let is_startable =
        !target.start_steps().is_empty() || target.image_facts().is_some_and(|facts| facts.entrypoint.is_known());
    let drops_workers = target.image_facts().is_some_and(|facts| facts.step_down.known() == Some(&StepDown::Workers));
    let is_certain = target.base_value().defaulted().next().is_none();
    let started = started_as(cx, target);
    let finding = out.report(span, message);
    if let Some(started) = &started {
        finding.message += &started.note;
        if started.is_everybody {
            finding.severity(Severity::Medium);
        }
    }
    // Nothing says how it starts: it may be made for others to build on.
    if !is_startable {
        finding.severity(Severity::Medium).confidence(Confidence::Medium);
    }
    if drops_workers {
        finding.severity(Severity::Medium);
    }
    if !is_certain {
        finding.confidence(Confidence::Medium);
    }
    finding.repair(cx, || user::unprivileged(cx, target));
}

/// What files around say of the user that the image is started as.
struct Started {
    note: String,
    /// Whether all that is known of starts it as somebody else than root.
    is_everybody: bool,
}

/// Whether a compose file or manifest starts the image as somebody else than root.
fn started_as(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>) -> Option<Started> {
    let callers = Callers::of(cx.context);
    let of_target: Vec<&Caller> = callers.of_target(target.name()).collect();
    let other_user = |caller: &&&Caller| {
        let user = caller.user.as_ref().and_then(|user| user.value.as_deref());
        let name = user.map(|user| user.split(':').next().unwrap_or(user));
        name.is_some_and(|name| !name.is_empty() && !matches!(name, "root" | "0"))
    };
    let others: Vec<&&Caller> = of_target.iter().filter(other_user).collect();
    let user = others.first()?.user.as_ref()?;
    let name = user.value.as_deref()?;
    let is_everybody = others.len() == of_target.len()
        && !callers.may_be_more
        && of_target
            .iter()
            .all(|caller| !caller.is_open && caller.user.as_ref().is_some_and(|user| !user.is_defaulted));
    let note = format!("; `{}` starts it as `{name}` (line {})", user.place.path, user.place.line);
    Some(Started { note, is_everybody })
}
