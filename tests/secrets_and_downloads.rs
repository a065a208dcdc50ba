//! What becomes of credentials and downloads, and what must not: the wrong fixes of others are tests here.

#![allow(clippy::disallowed_methods, reason = "the support code reads the shared data")]

mod support;

use ironhull::{
    rule::{Builtin, Finding, Safety},
    rules::RULES,
};
use support::{findings_of, repaired};

fn rule(id: &str) -> &'static Builtin {
    RULES.iter().copied().find(|rule| rule.meta.id == id).expect("the rule exists")
}

/// `text` after what `id` repairs.
fn fixed(id: &str, text: &str) -> String {
    String::from_utf8(repaired(&[rule(id)], text.as_bytes(), Safety::Risky)).expect("the texts are UTF-8")
}

fn only_finding(id: &str, text: &str) -> Finding {
    let mut found = findings_of(rule(id), text.as_bytes());
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

/// Why nothing is done on its own about the one finding.
fn reason(id: &str, text: &str) -> String {
    let finding = only_finding(id, text);
    let manual = finding.fixes.first().filter(|fix| fix.safety == Safety::Manual).map(|fix| fix.reason.to_string());
    assert_eq!(fixed(id, text), text);
    finding.declined.map(|why| why.to_string()).or(manual).expect("there is a reason")
}

const SHA: &str = "24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d";

/// A Dockerfile with `lines` behind a base that has everything, and a lock that knows `https://e.com/1.2/x`.
fn with_lock(lines: &str) -> String {
    let entry =
        |url: &str| format!("[[url]]\nurl = \"https://e.com/1.2/{url}\"\nsha256 = \"{SHA}\"\nresolved = 2026-11-20\n");
    let lock: String = ["x", "x.sh", "x.tgz"].map(entry).concat();
    format!("-- Dockerfile --\nFROM debian:13\n{lines}-- ironhull.lock --\nversion = 1\n{lock}")
}

/// What becomes of the lines behind `FROM`; `@` stands for the check of the file behind it.
fn verified(id: &str, before: &str, after: &str) {
    let mut expected = String::new();
    for (at, part) in after.split('@').enumerate() {
        if at == 0 {
            expected.push_str(part);
            continue;
        }
        let (file, rest) =
            part.split_once('@').unwrap_or_else(|| part.split_at(part.find([' ', ';', '\n']).unwrap_or(part.len())));
        expected.extend(["echo \"", SHA, "  ", file, "\" | sha256sum -c -", rest]);
    }
    assert_eq!(fixed(id, &with_lock(before)), with_lock(&expected), "{before}");
}

#[test]
fn a_file_is_checked_behind_its_download() {
    let id = "unverified-download";
    verified(id, "RUN curl -fo x https://e.com/1.2/x && sh x\n", "RUN curl -fo x https://e.com/1.2/x && @x && sh x\n");
    verified(
        id,
        "RUN a && wget https://e.com/1.2/x.tgz \\\n    && tar xf x.tgz\n",
        "RUN a && wget https://e.com/1.2/x.tgz \\\n    && @x.tgz \\\n    && tar xf x.tgz\n",
    );
    verified(
        id,
        "RUN curl -o /opt/x https://e.com/1.2/x\nRUN chmod +x /opt/x\n",
        "RUN curl -o /opt/x https://e.com/1.2/x && @/opt/x\nRUN chmod +x /opt/x\n",
    );
    verified(
        id,
        "RUN set -eux; curl -o x https://e.com/1.2/x; sh x\n",
        "RUN set -eux; curl -o x https://e.com/1.2/x; @x; sh x\n",
    );
    verified(
        id,
        "RUN <<EOF\nset -e\ncurl -o x https://e.com/1.2/x\nsh x\nEOF\n",
        "RUN <<EOF\nset -e\ncurl -o x https://e.com/1.2/x; @x\nsh x\nEOF\n",
    );
}

#[test]
fn a_check_that_fails_ends_the_build_whatever_the_script_does() {
    let id = "unverified-download";
    let guarded = format!("{{ echo \"{SHA}  x\" | sha256sum -c - || exit 1; }}");
    let script = |check: &str| with_lock(&format!("RUN curl -o x https://e.com/1.2/x{check}; sh x\n"));
    assert_eq!(fixed(id, &script("")), script(&format!(" && {guarded}")));
    for odd in [
        "RUN curl -o x https://e.com/1.2/x || wget -O x https://e.com/1.2/y; sh x\n",
        "RUN (curl -o x https://e.com/1.2/x; sh x); b\n",
        "RUN set -e; a && curl -o x https://e.com/1.2/x; sh x\n",
        "RUN f() { curl -o x https://e.com/1.2/x; }; f; sh x\n",
    ] {
        let text = with_lock(odd);
        assert_eq!(fixed(id, &text), text, "{odd}");
    }
}

#[test]
fn a_pipe_is_taken_apart() {
    let id = "pipe-to-shell";
    let url = "https://e.com/1.2/x.sh";
    let apart = |user: &str| format!("RUN curl -o /tmp/x.sh -sSL {url} && @/tmp/x.sh && {user} && rm -f /tmp/x.sh\n");
    for (from, to) in [
        ("sh", "sh /tmp/x.sh"),
        ("sudo -E bash -", "sudo -E bash /tmp/x.sh"),
        ("bash -s -- --prefix=/opt \"$A\"", "bash /tmp/x.sh --prefix=/opt \"$A\""),
        ("bash -s stable", "bash /tmp/x.sh stable"),
        ("sh -ex", "sh -ex /tmp/x.sh"),
        ("bash /dev/stdin -v latest", "bash /tmp/x.sh -v latest"),
        ("A=b sh", "A=b sh /tmp/x.sh"),
        ("python3 -", "python3 /tmp/x.sh"),
        ("php -- --install-dir=/usr/bin", "php /tmp/x.sh --install-dir=/usr/bin"),
        ("perl - App::cpanminus", "perl /tmp/x.sh App::cpanminus"),
    ] {
        verified(id, &format!("RUN curl -sSL {url} | {from}\n"), &apart(to));
    }
    verified(
        id,
        &format!("RUN curl {url} \\\n  | sh \\\n  && b\n"),
        &format!(
            "RUN curl -o /tmp/x.sh {url} \\\n  && @/tmp/x.sh \\\n  && sh /tmp/x.sh \\\n  && rm -f /tmp/x.sh \\\n  && b\n"
        ),
    );
    verified(
        id,
        &format!("RUN set -e; curl {url} | sh; b\n"),
        &format!("RUN set -e; curl -o /tmp/x.sh {url}; @/tmp/x.sh; sh /tmp/x.sh; rm -f /tmp/x.sh; b\n"),
    );
    verified(
        id,
        &format!("RUN wget -qO- {url} | sh\n"),
        &format!("RUN wget -qO /tmp/x.sh {url} && @/tmp/x.sh && sh /tmp/x.sh && rm -f /tmp/x.sh\n"),
    );
    verified(
        id,
        &format!("RUN curl -o- {url} | sh\n"),
        &format!("RUN curl -o /tmp/x.sh {url} && @/tmp/x.sh && sh /tmp/x.sh && rm -f /tmp/x.sh\n"),
    );
    for (from, to) in [
        (format!("sh -c \"$(curl -f {url})\""), "sh /tmp/x.sh"),
        (format!("sudo bash -c \"$(curl -f {url})\" name --flag"), "sudo bash /tmp/x.sh --flag"),
        (format!("bash <(curl -f {url}) --flag"), "bash /tmp/x.sh --flag"),
    ] {
        let (before, download) =
            (format!("SHELL [\"/bin/bash\", \"-c\"]\nRUN {from}\n"), format!("curl -o /tmp/x.sh -f {url}"));
        let after = format!("SHELL [\"/bin/bash\", \"-c\"]\nRUN {download} && @/tmp/x.sh && {to} && rm -f /tmp/x.sh\n");
        verified(id, &before, &after);
    }
}

#[test]
fn an_archive_that_flows_into_tar_is_kept_first() {
    let id = "unverified-download";
    let url = "https://e.com/1.2/x.tgz";
    for (from, to) in [
        ("tar -xz -C /opt", "tar -f /tmp/x.tgz -xz -C /opt"),
        ("tar xz --strip 1", "tar xzf /tmp/x.tgz --strip 1"),
        ("tar -xzf - a/b", "tar -xzf /tmp/x.tgz a/b"),
        ("tar zxvf -", "tar zxvf /tmp/x.tgz"),
        ("tar xfz - -C /opt", "tar xfz /tmp/x.tgz -C /opt"),
        ("tar xzC /opt", "tar xzfC /tmp/x.tgz /opt"),
        ("tar -xzf- -C /opt", "tar -xzf /tmp/x.tgz -C /opt"),
    ] {
        let after = format!("RUN curl -o /tmp/x.tgz {url} && @/tmp/x.tgz && {to} && rm -f /tmp/x.tgz\n");
        verified(id, &format!("RUN curl {url} | {from}\n"), &after);
    }
}

#[test]
fn what_cannot_be_taken_apart_stays() {
    let url = "https://e.com/1.2/x.sh";
    for odd in [
        format!("RUN su -c \"curl {url} | sh\" app\n"),
        format!("RUN [\"sh\", \"-c\", \"curl {url} | sh\"]\n"),
        format!("RUN which a || curl {url} | sh\n"),
        format!("RUN eval \"$(curl {url})\"\n"),
        format!("RUN sh -c \"$(curl {url} | sed s/a/b/)\"\n"),
        format!("RUN if curl {url} | sh; then b; fi\n"),
        format!("RUN curl {url} | sh & b\n"),
    ] {
        let text = with_lock(&odd);
        assert_eq!(fixed("pipe-to-shell", &text), text, "{odd}");
    }
}

#[test]
fn without_an_entry_the_reason_says_what_is_missing() {
    let why = |address: &str| reason("pipe-to-shell", &format!("FROM debian:13\nRUN curl {address} | sh\n"));
    assert!(why("https://e.com/1.2/x.sh").contains("`ironhull lock` can resolve it"));
    assert!(why("https://get.docker.com").contains("fixed version"));
    assert!(why("https://raw.e.com/a/b/master/install.sh").contains("fixed version"));
    let platform = "FROM debian:13\nARG TARGETARCH\nRUN curl https://e.com/1.2/x-$TARGETARCH | sh\n";
    assert!(reason("pipe-to-shell", platform).contains("`TARGETARCH`"));
    let missing = "FROM debian:13\nARG V\nRUN curl https://e.com/$V/x | sh\n";
    assert!(reason("pipe-to-shell", missing).contains("`V`"));
}

#[test]
fn a_check_of_one_file_says_nothing_of_another() {
    let id = "unverified-download";
    let both = "RUN curl -o x https://e.com/1.2/x && sh x && curl -o y.tgz https://e.com/1.2/x.tgz && tar xf y.tgz\n";
    let checked = "RUN curl -o x https://e.com/1.2/x && @x && sh x && curl -o y.tgz https://e.com/1.2/x.tgz && @y.tgz && tar xf y.tgz\n";
    verified(id, both, checked);
    let half = format!(
        "FROM debian:13\nRUN curl -o x https://e.com/x && echo '{SHA}  x' | sha256sum -c && sh x && curl https://e.com/2/y | tar xz\n"
    );
    assert!(only_finding(id, &half).message.contains("unpacked"));
    let other =
        format!("FROM debian:13\nRUN curl -o x https://e.com/x && echo \"{SHA}  $FILE\" | sha256sum -c && sh x\n");
    assert!(findings_of(rule(id), other.as_bytes()).is_empty());
}

#[test]
fn the_home_of_a_user_is_written_out() {
    let before = "RUN wget -O ~/x https://e.com/1.2/x && sh ~/x\n";
    verified("unverified-download", before, "RUN wget -O ~/x https://e.com/1.2/x && @$HOME/x && sh ~/x\n");
}

#[test]
fn a_version_argument_is_resolved() {
    let before = "ARG V=1.2\nRUN curl -o x-$V https://e.com/$V/x && sh x-$V\n";
    verified("unverified-download", before, "ARG V=1.2\nRUN curl -o x-$V https://e.com/$V/x && @x-$V && sh x-$V\n");
}

/// drevops/vortex#2817: whoever passes the argument must be changed in the same step.
#[test]
fn an_argument_that_somebody_passes_is_not_taken_away_unasked() {
    let text = "-- Dockerfile --\nFROM alpine:3.22\nARG PACKAGE_TOKEN\nRUN composer config -g github-oauth.github.com $PACKAGE_TOKEN\n-- compose.yaml --\nservices:\n  a:\n    build:\n      args:\n        PACKAGE_TOKEN: ${PACKAGE_TOKEN:?is not set}\n";
    let why = reason("secret-in-arg", text);
    assert!(why.contains("compose.yaml:5 must hand it in as a secret"), "{why}");
    assert!(why.contains("may still write it"), "{why}");
}

#[test]
fn a_secret_that_something_else_needs_stays() {
    let token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    for (rest, part) in [
        ("ADD https://e.com/$GH_TOKEN/a /a\n", "`ADD` in line 3"),
        ("ENV URL=https://x:$GH_TOKEN@e.com\n", "`ENV` in line 3"),
        ("ONBUILD RUN curl -H \"a: $GH_TOKEN\" https://e.com\n", "`ONBUILD` in line 3"),
        ("LABEL a=${GH_TOKEN}\n", "`LABEL` in line 3"),
    ] {
        let why = reason("secret-in-env", &format!("FROM alpine:3.22\nENV GH_TOKEN={token}\n{rest}"));
        assert!(why.contains(part), "{why}");
    }
    let kaniko = format!(
        "-- Dockerfile --\nFROM alpine:3.22\nENV GH_TOKEN={token}\nRUN gh release list\n-- .gitlab-ci.yml --\na:\n  image: gcr.io/kaniko-project/executor\n"
    );
    assert!(reason("secret-in-env", &kaniko).contains("kaniko"));
}

#[test]
fn a_secret_is_handed_to_everybody_who_reads_it() {
    let before = "FROM node:22 AS a\nARG NPM_TOKEN\nENV NODE_AUTH_TOKEN=$NPM_TOKEN\nRUN npm ci\nFROM a\nRUN if [ -n \"$NPM_TOKEN\" ]; then b; fi\nRUN <<EOF\n  c \"$NODE_AUTH_TOKEN\"\nEOF\n";
    let after = "FROM node:22 AS a\nRUN --mount=type=secret,id=npm_token,env=NODE_AUTH_TOKEN,required=true --mount=type=secret,id=npm_token,env=NPM_TOKEN,required=true npm ci\nFROM a\nRUN --mount=type=secret,id=npm_token,env=NPM_TOKEN if [ -n \"$NPM_TOKEN\" ]; then b; fi\nRUN --mount=type=secret,id=npm_token,env=NODE_AUTH_TOKEN,required=true <<EOF\n  c \"$NODE_AUTH_TOKEN\"\nEOF\n";
    let directive = "# syntax=docker/dockerfile:1\n";
    assert_eq!(fixed("secret-in-arg", &format!("{directive}{before}")), format!("{directive}{after}"));
}

#[test]
fn a_secret_in_a_file_is_readable_for_the_user_of_the_step() {
    let before = "FROM alpine:3.22\nARG API_TOKEN\nUSER app\nRUN a \\\n  # why\n  && b \"$API_TOKEN\"\n";
    let after = "FROM alpine:3.22\nUSER app\nRUN --mount=type=secret,id=api_token,required=true,mode=0444 export API_TOKEN=\"$(cat /run/secrets/api_token)\" && a \\\n  # why\n  && b \"$API_TOKEN\"\n";
    assert_eq!(fixed("secret-in-arg", before), after);
}

#[test]
fn a_word_that_may_be_nothing_is_not_required() {
    let before = "FROM alpine:3.22\nARG API_TOKEN\nRUN b $API_TOKEN\n";
    let after = "FROM alpine:3.22\nRUN --mount=type=secret,id=api_token export API_TOKEN=\"$(cat /run/secrets/api_token 2>/dev/null)\" && b $API_TOKEN\n";
    assert_eq!(fixed("secret-in-arg", before), after);
}

#[test]
fn windows_is_left_to_its_author() {
    let text =
        "# escape=`\nFROM mcr.microsoft.com/windows/servercore:ltsc2022\nENV API_KEY=r7eJvn9HIvMh25CWknMUFoNuW2d2\n";
    assert!(reason("secret-in-env", text).contains("Windows"));
}

#[test]
fn the_value_of_an_option_is_no_address() {
    for options in
        ["-H \"Authorization: Bearer $T\"", "-fsSL -H x -X GET", "-A agent -m 9", "--header x", "-u a:b -o -"]
    {
        let text = format!("FROM debian:13\nRUN curl {options} http://e.com/x.tar.gz | tar xz -C /opt\n");
        let why = only_finding("unverified-download", &text).declined.map(std::borrow::Cow::into_owned);
        assert!(!why.as_deref().is_some_and(|why| why.contains("several")), "{options}: {why:?}");
    }
}

#[test]
fn options_of_a_download_stay() {
    for id in ["pipe-to-shell", "unverified-download"] {
        let after = fixed(id, &with_lock("RUN curl -fsSL -H \"A: b\" -u c:d https://e.com/1.2/x | sh\n"));
        assert!(after.contains("-H \"A: b\" -u c:d"), "{after}");
    }
}
