//! Whether there is an SSH server in an image.

use super::{packages::Action, stage::Stage, step::Step};
use crate::knowledge::Role;

/// Programs that serve SSH, and words of what comes with such a server.
const SERVERS: [&str; 8] = ["ssh", "dropbear", "sftp", "gitea", "gogs", "gitlab", "forgejo", "soft-serve"];

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
}
