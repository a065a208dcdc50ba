//! Whether there is an SSH server in an image.

use super::{packages::Action, stage::Stage, step::Step};
use crate::{context::BuildContext, knowledge::Role};

/// Programs that serve SSH, and words of what comes with such a server.
const SERVERS: [&str; 8] = ["ssh", "dropbear", "sftp", "gitea", "gogs", "gitlab", "forgejo", "soft-serve"];

/// Programs that serve SSH, and such that start programs which the file does not name.
const DAEMONS: [&str; 9] =
    ["sshd", "openssh", "dropbear", "ssh start", "supervisor", "s6-", "runit", "systemd", "/sbin/init"];

impl Stage<'_> {
    /// Whether there is none, as far as the file tells: the image is a distribution, the packages that it gets are
    /// written out, nothing else is copied from an image, and the file does not speak of SSH.
    pub fn has_no_ssh_server(self) -> bool {
        let is_distribution = self.image_facts().is_some_and(|facts| facts.role.known() == Some(&Role::Os));
        let steps = || self.chain().flat_map(Stage::steps);
        if !is_distribution || steps().any(|step| step.copy_source().is_some()) {
            return false;
        }
        let packages = steps().flat_map(Step::package_commands);
        let mut installs = packages.filter(|packages| packages.call.action == Action::Install).peekable();
        if installs.peek().is_none() || installs.any(|packages| packages.call.is_dynamic()) {
            return false;
        }
        let text = String::from_utf8_lossy(&self.model().file.text).to_ascii_lowercase();
        !SERVERS.iter().any(|server| text.contains(server))
    }

    /// Whether nothing in the image can listen for SSH: its base is known to have no server, and neither the file nor the
    /// scripts that start it speak of one, or of something that starts others.
    pub fn serves_no_ssh(self, context: &BuildContext<'_>) -> bool {
        let role = self.image_facts().and_then(|facts| facts.role.known().copied());
        let is_plain = matches!(role, Some(Role::Os | Role::Language | Role::Build | Role::Runtime));
        let startup = self.startup(context);
        if !is_plain || startup.process.is_none() {
            return false;
        }
        let is_silent = |text: &[u8]| {
            let text = String::from_utf8_lossy(text).to_ascii_lowercase();
            !DAEMONS.iter().any(|daemon| text.contains(daemon))
        };
        is_silent(&self.model().file.text)
            && self.start_scripts(context).iter().all(|script| is_silent(&script.file.text))
    }
}
