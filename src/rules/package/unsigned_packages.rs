//! A package whose signature is not checked can be anybody's.

use crate::{
    model::{
        DockerfileModel, Marks, StepPackages,
        packages::{Action, Manager},
    },
    rewrite::shell::ShellEditor,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Finding, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety,
        Scheme, Severity,
    },
    source::FileKind,
    syntax::shell::Word,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unsigned-packages",
        title: "Package signatures not checked",
        why: "The signature is what ties a package to its distribution: without it a mirror, a proxy or anybody on the way can put another package in its place, which is installed as root.",
        remedy: "Add the key of the repository (`signed-by=` for apt, `gpgkey=` for dnf, `/etc/apk/keys`), and leave the check on.",
        group: Group::Package,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Takes the switch out; not for files of apk whose signer's key nobody adds.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.11"),
            Reference::new(Scheme::CisDocker, "4.12"),
            Reference::new(Scheme::Cwe, "347"),
            Reference::new(Scheme::Cwe, "494"),
        ],
        equivalents: &[
            "checkov:CKV2_DOCKER_7",
            "checkov:CKV2_DOCKER_8",
            "checkov:CKV2_DOCKER_9",
            "checkov:CKV2_DOCKER_10",
            "checkov:CKV2_DOCKER_11",
        ],
        examples: &[
            Example::new(
                "With apk",
                "FROM alpine:3.22\nRUN apk add «--allow-untrusted» ./tool.apk\n",
                "FROM alpine:3.22\nCOPY tool.rsa.pub /etc/apk/keys/\nRUN apk add ./tool.apk\n",
            ),
            Example::new(
                "With dnf",
                "FROM fedora:42\nRUN dnf install -y «--nogpgcheck» tool\n",
                "FROM fedora:42\nRUN dnf install -y tool\n",
            ),
            Example::new(
                "With zypper, which may also be told to trust new keys",
                "FROM opensuse/leap:15.6\nRUN zypper --gpg-auto-import-keys «--no-gpg-checks» install -y tool\n",
                "FROM opensuse/leap:15.6\nRUN zypper --gpg-auto-import-keys install -y tool\n",
            ),
            Example::new(
                "With apt, where the option means nothing while lists are fetched",
                "FROM debian:13\nRUN apt-get update --allow-unauthenticated && apt-get install -y «--allow-unauthenticated» tool\n",
                "FROM debian:13\nRUN apt-get update --allow-unauthenticated && apt-get install -y tool\n",
            ),
            Example::new(
                "With rpm",
                "FROM fedora:42\nRUN rpm -i «--nosignature» tool.rpm\n",
                "FROM fedora:42\nRUN rpm -i tool.rpm\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    if !cx.model.has_marks(Marks::UNSIGNED) {
        return;
    }
    for step in cx.model.built_steps().filter(|step| step.has_marks(Marks::UNSIGNED)) {
        let brings = |action| matches!(action, Action::Install | Action::Upgrade | Action::Refresh);
        for packages in step.package_commands().filter(|packages| brings(packages.call.action)) {
            if let Some(word) = unchecked(&packages) {
                let message = format!("`{}` is told not to check the signatures of packages", packages.call.program);
                let finding = out.report(packages.word_span(word), message).only_with(packages.at.needs_argument());
                repair(&packages, word, finding);
            }
        }
    }
}

fn repair(packages: &StepPackages<'_>, word: Word<'_>, finding: &mut Finding) {
    if packages.call.manager == Manager::Apk && installs_files(packages) {
        finding.decline("who signed it is not known: the key belongs into `/etc/apk/keys` first");
        return;
    }
    if packages.at.step.stage().is_of_ended_distribution() {
        finding.decline("the distribution has ended, and the keys that signed its packages may have too");
        return;
    }
    let words: Vec<Word<'_>> = packages.at.command.words().collect();
    // The value of an option in a word of its own goes with the option.
    let is_value = packages.call.values.iter().any(|(_, value)| value.span() == word.span());
    let first = words.iter().rev().find(|other| is_value && other.span().end <= word.span().start).unwrap_or(&word);
    let Some(edit) = ShellEditor::of(packages.at).and_then(|editor| editor.remove(*first, word)) else {
        finding.decline("the script is not written as the shell reads it");
        return;
    };
    let reason = "a repository whose key the image lacks is refused then: add the key first";
    finding.fix(Fix::new("Check signatures", Safety::Risky, reason, vec![edit]));
}

/// Whether it installs what is signed with a key that nobody adds.
fn installs_files(packages: &StepPackages<'_>) -> bool {
    let step = packages.at.step;
    let source = &step.model().file.text;
    let adds_key = step
        .stage()
        .steps()
        .any(|step| memchr::memmem::find(step.instruction().span.of(source), b"/etc/apk/keys").is_some());
    // A root of its own has no keys to begin with.
    if packages.call.has_option(&["--initdb", "--root", "-p"]) {
        return true;
    }
    let is_file = |word: &Word<'_>| word.text().ends_with(".apk") || word.text().contains('/');
    !adds_key && packages.call.operands.iter().any(|word| is_file(word) || word.literal().is_none())
}

fn unchecked<'m>(packages: &StepPackages<'m>) -> Option<Word<'m>> {
    let call = &packages.call;
    let names: &[&str] = match call.manager {
        // Fetching lists looks at an option of its own only: apt-secure(8).
        Manager::Apt if call.action == Action::Refresh => &["--allow-insecure-repositories"],
        Manager::Apt => &["--allow-unauthenticated", "--force-yes", "--no-gpg-check"],
        Manager::Dpkg => &["--no-debsig"],
        Manager::Apk => &["--allow-untrusted"],
        Manager::Yum | Manager::Dnf | Manager::Microdnf | Manager::Tdnf => {
            &["--nogpgcheck", "--no-gpgchecks", "--no-gpg-checks"]
        }
        Manager::Rpm => &["--nosignature", "--nodigest", "--noverify", "--nofiledigest", "--nogpg"],
        Manager::Zypper => &["--no-gpg-checks", "--allow-unsigned-rpm"],
        _ => return None,
    };
    let setting = |word: &Word<'m>| {
        let text = word.text();
        let text = text.strip_prefix("--setopt=").unwrap_or(&text);
        matches!(text, "gpgcheck=0" | "gpgcheck=false" | "*.gpgcheck=0" | "tsflags=nocrypto")
            || call.action != Action::Refresh && is_switched_on(text, "AllowUnauthenticated")
            || is_switched_on(text, "AllowInsecureRepositories")
    };
    call.option(names).or_else(|| call.option_words().find(setting))
}

/// Whether a setting of apt such as `APT::Get::AllowUnauthenticated=true` switches `name` on.
fn is_switched_on(setting: &str, name: &str) -> bool {
    let value = setting.split_once(name).and_then(|(_, rest)| rest.strip_prefix('='));
    value.is_some_and(|value| matches!(value.trim_matches(['"', ';']), "true" | "1" | "yes"))
}
