//! An image that keeps its shell without what only its build needed: package manager, network tools, set-uid bits.
//!
//! What is removed in a later layer is still in the ones below it, but not in the file system of a container. Nothing that
//! the start, the health check or a program of the build context calls goes. Facts: the files of Debian's packages `apt`
//! and `dpkg`, of Alpine's `apk-tools`; applets of `BusyBox` are links, and whoever removes one removes nothing else.

use super::{Change, Subject};
use crate::{
    knowledge::PackageManager,
    rewrite::user,
    rule::Safety,
    syntax::dockerfile::{Editor, Keyword},
    text::Edit,
};

/// Takes set-uid and set-gid bits off. `BusyBox` knows no `-perm /6000`.
const BITS: &str = "find / -xdev -type f \\( -perm -4000 -o -perm -2000 \\) -exec chmod a-s {} +";

/// Programs that reach into the network, which few programs call.
const NETWORK: [&str; 12] =
    ["curl", "wget", "nc", "ncat", "netcat", "telnet", "ftp", "tftp", "ftpget", "ftpput", "ssh", "scp"];

/// The edit that strips the image of `subject`, and what it does.
///
/// # Errors
/// Why it cannot be done; nothing where there is nothing to do.
pub fn stripped(subject: &Subject<'_>) -> Result<(Edit, Change), Option<String>> {
    let target = subject.target;
    let facts =
        target.image_facts().ok_or_else(|| Some("nothing is known of the base, so nothing is stripped".to_owned()))?;
    if facts.has_no_shell() || target.chain_steps().any(|step| step.scripts_hold("-perm -4000")) {
        return Err(None);
    }
    let manager = match facts.package_manager.known().copied().flatten() {
        Some(PackageManager::Apt) => {
            "/usr/bin/apt* /usr/bin/dpkg* /usr/lib/apt /usr/lib/dpkg /usr/libexec/dpkg /usr/sbin/dpkg* /var/lib/apt /var/lib/dpkg /var/cache/apt /etc/apt /etc/cron.daily/apt* /etc/cron.daily/dpkg"
        }
        Some(PackageManager::Apk) => {
            "/sbin/apk /usr/sbin/apk /etc/apk /lib/apk /usr/lib/apk /usr/share/apk /var/cache/apk"
        }
        _ => {
            return Err(Some("how its distribution installs packages is not known, so nothing is stripped".to_owned()));
        }
    };
    if let Some(reason) = user::needs_all(&subject.cx.context, target) {
        return Err(Some(format!("nothing is stripped: {reason}")));
    }
    let programs = subject.programs();
    let calls = ["apt", "apt-get", "dpkg", "apk"];
    if let Some(name) = calls.iter().find(|name| programs.names.contains(**name)) {
        return Err(Some(format!("nothing is stripped: it calls `{name}`")));
    }
    // Without the programs of the context nobody knows which of the others are called.
    let gone: Vec<String> = if programs.is_complete {
        let unused = NETWORK.iter().filter(|name| !programs.names.contains(**name));
        unused.map(|name| format!("/usr/bin/{name}")).collect()
    } else {
        Vec::new()
    };
    let mut lines = vec![format!("RUN {BITS} \\"), format!("    && rm -rf {manager}")];
    if !gone.is_empty() {
        lines[1].push_str(" \\");
        lines.push(format!("        {}", gone.join(" ")));
    }
    let edit = placed(subject, &lines)?;
    let kept = if programs.is_complete { "" } else { "; network tools stay, for what the program calls is not known" };
    let change = Change {
        title: "Strip the image".into(),
        safety: Safety::Risky,
        reason: format!(
            "nothing that starts calls the package manager or needs a set-uid bit: build and start it once{kept}"
        )
        .into(),
        evidence: Vec::new(),
    };
    Ok((edit, change))
}

/// The line where root runs for the last time and everything is installed.
fn placed(subject: &Subject<'_>, lines: &[String]) -> Result<Edit, Option<String>> {
    let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
    let steps: Vec<_> = subject.target.steps().filter(|step| !step.is_trigger()).collect();
    let is_work = |keyword| matches!(keyword, Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir);
    let last = steps.iter().rposition(|step| is_work(step.keyword()));
    let behind = last.map_or(0, |at| at + 1);
    let before = match last {
        Some(at) => steps[at].instruction(),
        None => subject.target.instruction(),
    };
    let is_root = steps.get(behind).map_or_else(|| subject.target.user().is_root(), |step| step.user().is_root());
    if !is_root {
        return Err(Some("nothing is stripped: its last steps are not run by root".to_owned()));
    }
    editor.insert_after(before, lines).ok_or_else(|| Some("the end of the file cuts an instruction off".to_owned()))
}
