//! `curl … | sh` runs whatever the server sends that day.

use crate::{
    model::{
        DockerfileModel,
        downloads::{Download, is_interpreter, is_local_address, reader_of},
        script_file::{FileCommand, ScriptFile},
    },
    rewrite::Verifier,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::shell::{Invocation, Word},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "pipe-to-shell",
        title: "Download piped to an interpreter",
        why: "Whoever controls the server, the name or the way to it runs code in the build, usually as root, and nobody can look at it before or afterwards. A download that breaks off runs half a script.",
        remedy: "Use the distribution's package or a released file of a fixed version; else download the script, verify its checksum, then run it.",
        group: Group::Network,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile, FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "With an entry for the address in `ironhull.lock` the script is kept in a file, checked, run and removed; without one the fix is manual.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.11"),
            Reference::new(Scheme::Cwe, "494"),
            Reference::new(Scheme::Cwe, "829"),
        ],
        equivalents: &["semgrep:curl-pipe-bash"],
        examples: &[
            Example::new(
                "A pipe",
                "-- Dockerfile --\nFROM debian:13\nRUN «curl -fsSL https://example.com/1.2/install.sh | sh»\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/1.2/install.sh\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- Dockerfile --\nFROM debian:13\nRUN curl -o /tmp/install.sh -fsSL https://example.com/1.2/install.sh && echo \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d  /tmp/install.sh\" | sha256sum -c - && sh /tmp/install.sh && rm -f /tmp/install.sh\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/1.2/install.sh\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
            Example::new(
                "A substitution",
                "-- Dockerfile --\nFROM debian:13\nRUN «bash -c \"$(wget -qO- https://example.com/1.2/install.sh)\"»\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/1.2/install.sh\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- Dockerfile --\nFROM debian:13\nRUN wget -qO /tmp/install.sh https://example.com/1.2/install.sh && echo \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d  /tmp/install.sh\" | sha256sum -c - && bash /tmp/install.sh && rm -f /tmp/install.sh\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/1.2/install.sh\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
            Example::new(
                "In a script that is handed to a shell",
                "FROM debian:13\nRUN su -l -c \"touch .profile && «curl https://example.com/install.sh | sh»\" app\n",
                "FROM debian:13\nRUN su -l -c \"touch .profile && curl https://example.com/data.json | jq .version\" app\n",
            ),
            Example::new(
                "With sudo, and an interpreter that is no shell",
                "FROM debian:13\nRUN «curl -sSL https://example.com/get.py | sudo python3 -»\n",
                "FROM debian:13\nRUN curl -sSL https://example.com/data.json | jq .version\n",
            ),
            Example::new(
                "Within a script that another shell runs",
                "FROM debian:13\nRUN su -l -c \"touch ~/.profile && «curl https://example.com/install.sh | sh»\" app\n",
                "FROM debian:13\nRUN su -l -c \"touch ~/.profile && curl -O https://example.com/data.json\" app\n",
            ),
            Example::new(
                "A script",
                "-- setup.sh --\n«curl -fsSL https://example.com/install.sh | sudo bash -x»\n",
                "-- setup.sh --\ncurl -fsSL https://example.com/install.sh | tee install.sh\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Commands { dockerfile: check, script },
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    if !cx.model.may_run(Download::PROGRAMS) {
        return;
    }
    let mut verifier = Verifier::default();
    for stage in cx.model.stages().filter(|stage| stage.is_built()) {
        for download in stage.downloads().filter(|download| !download.command.step.is_trigger()) {
            report(cx, &download, &mut verifier, out);
        }
    }
}

fn report(cx: &Cx<'_, DockerfileModel<'_>>, download: &Download<'_>, verifier: &mut Verifier, out: &mut Findings) {
    let Some(consumer) = download.consumer() else { return };
    let Some(invocation) = consumer.invocation() else { return };
    let Some(name) = invocation.name().filter(|name| is_interpreter(name)) else { return };
    let is_piped = download.command.command.piped_into().is_some();
    if is_piped && reads_data(invocation) {
        return;
    }
    let span = download.span().to(download.command.script.file_span(consumer.span()));
    let over = if download.is_plain_http() { " over plain HTTP" } else { "" };
    let finding = out.report(span, format!("what `{}` downloads{over} is run by `{name}` unseen", download.program));
    if download.is_plain_http() {
        finding.severity(Severity::Critical);
    }
    if download.command.is_conditional() {
        finding.confidence(Confidence::Medium);
    }
    finding.only_with(download.command.needs_argument());
    finding.repair(cx, || verifier.verify(cx, download));
}

/// Whether an interpreter brings its script along, so that its input is data: `python3 -c '…'`, `node -e`.
fn reads_data(invocation: Invocation<'_>) -> bool {
    let own_code = ["-c", "-e", "-m", "-r", "--eval", "-p", "-ne", "-pe", "-nle", "-lne", "-n", "-E", "-ane", "-0777"];
    let first = invocation.arguments().next().map(Word::text);
    first.is_some_and(|word| own_code.contains(&&*word) || is_script_file(&word))
}

fn script(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for command in cx.model.commands() {
        let Some((program, url)) = downloaded_to_output(command) else { continue };
        let Some(reader) = reader_of(command.command) else { continue };
        let Some(invocation) = reader.invocation() else { continue };
        let Some(name) = invocation.name().filter(|name| is_interpreter(name)) else { continue };
        if command.command.piped_into().is_some() && reads_data(invocation) {
            continue;
        }
        let is_plain = url.starts_with("http://");
        let over = if is_plain { " over plain HTTP" } else { "" };
        let place = command.span().to(command.placed(reader.span()));
        let finding = out.report(place, format!("what `{program}` downloads{over} is run by `{name}` unseen"));
        finding.severity(if is_plain { Severity::Critical } else { Severity::High });
        finding.decline("what the script should be, and how that can be verified, is not written down anywhere");
    }
}

/// The program and the address, if a command writes what it downloads to its output.
fn downloaded_to_output(command: FileCommand<'_>) -> Option<(&str, String)> {
    let invocation = command.invocation()?;
    let program = invocation.name().filter(|name| matches!(*name, "curl" | "wget"))?;
    let words: Vec<_> = invocation.arguments().map(Word::text).collect();
    let is_address = |word: &str| word.contains("://") && !word.starts_with('-') && !is_local_address(word);
    let url = words.iter().find(|word| is_address(word))?.to_string();
    let to_output = |word: &str| {
        matches!(word, "-" | "-O-" | "-qO-" | "-qO" | "-O" | "--output-document=-") || word.ends_with("O-")
    };
    (program == "curl" || words.iter().any(|word| to_output(word))).then_some((program, url))
}

/// Whether an argument names a script of its own, so that the input is data: `python3 parse.py`.
fn is_script_file(argument: &str) -> bool {
    !argument.starts_with('-') && [".py", ".sh", ".js", ".rb", ".pl", ".php"].iter().any(|end| argument.ends_with(end))
}
