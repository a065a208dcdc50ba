//! A start command in shell form makes a shell process 1, which passes no signal on.

use crate::{
    knowledge::ImageFacts,
    model::DockerfileModel,
    rewrite::start,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::Keyword,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "shell-form-start",
        title: "Start command in shell form",
        why: "The shell is process 1 and passes no signal on: the program is killed after ten seconds instead of being asked to end, and an image without a shell cannot start it at all.",
        remedy: "Write the words as JSON (`CMD [\"app\", \"--port\", \"80\"]`), or begin with `exec` where the shell is needed to expand variables.",
        group: Group::Runtime,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Writes the JSON form of plain words, or puts `exec` before the last command; risky where another program or a caller sees other arguments than before.",
        ),
        references: &[
            Reference::new(Scheme::Cwe, "710"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/dockerfile/#shell-and-exec-form"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/build-checks/json-args-recommended/"),
        ],
        equivalents: &["hadolint:DL3025", "semgrep:prefer-json-notation", "kics:b86987e1-6397-4619-81d5-8807f2387c79"],
        examples: &[
            Example::new(
                "Plain words",
                "FROM debian:13\nCMD «nginx -g 'daemon off;'»\n",
                "FROM debian:13\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n",
            ),
            Example::new(
                "A variable needs the shell, which `exec` puts the program in the place of",
                "FROM debian:13\nCMD «app --port $PORT»\n",
                "FROM debian:13\nCMD exec app --port $PORT\n",
            ),
            Example::new(
                "Several commands",
                "FROM debian:13\nCMD «cd /app && ./serve»\n",
                "FROM debian:13\nCMD cd /app && exec ./serve\n",
            ),
            Example::new(
                "An entry point that is given no arguments keeps to itself",
                "FROM debian:13\nENTRYPOINT «top -b»\nCMD [\"-d\", \"1\"]\n",
                "FROM debian:13\nENTRYPOINT exec top -b\nCMD [\"-d\", \"1\"]\n",
            ),
            Example::new(
                "A pipe needs the shell to stay",
                "FROM debian:13\nCMD «app | tee /log»\n",
                "FROM debian:13\nCMD [\"/bin/sh\", \"-c\", \"app | tee /log\"]\n",
            ),
            Example::new(
                "Bash puts a single program in its own place",
                "FROM rockylinux:9\nCMD «app --port $PORT | tee /log»\n",
                "FROM rockylinux:9\nCMD app --port $PORT\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let Some(target) = cx.model.target().filter(|target| !target.is_windows()) else { return };
    let start = target.start_steps();
    for &step in start.iter().filter(|step| matches!(step.keyword(), Keyword::Cmd | Keyword::Entrypoint)) {
        if let Some(shell_form) = start::ShellForm::of(step) {
            let what = if step.keyword() == Keyword::Cmd { "`CMD`" } else { "`ENTRYPOINT`" };
            let has_no_shell = target.image_facts().is_some_and(ImageFacts::has_no_shell);
            let message = if has_no_shell {
                format!("this {what} is in shell form, and the image has no shell")
            } else {
                format!("this {what} is in shell form: a shell reads it before the program starts")
            };
            let finding = out.report(shell_form.span(), message);
            match shell_form.without_shell(&start) {
                Ok(fix) => finding.fix(fix),
                Err(refusal) => finding.decline(refusal),
            };
        }
    }
}
