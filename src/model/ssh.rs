//! Whether there is an SSH server in an image.

use super::{packages::Action, path::file_name, stage::Stage, start_script::StartScript, step::Step};
use crate::{context::BuildContext, knowledge::Role, syntax::shell::Word};

/// Programs that serve SSH, and words of what comes with such a server.
const SERVERS: [&str; 8] = ["ssh", "dropbear", "sftp", "gitea", "gogs", "gitlab", "forgejo", "soft-serve"];

/// Programs that serve SSH, such that start programs which the file does not name, and keys that only a server needs.
const DAEMONS: [&str; 16] = [
    "sshd",
    "openssh",
    "dropbear",
    "ssh start",
    "supervisor",
    "s6-",
    "runit",
    "systemd",
    "/sbin/init",
    "my_init",
    "phusion",
    "circusd",
    "monit",
    "host_key",
    "ssh-keygen -a",
    "init.d/ssh",
];

/// Words of steps by which others than the distribution say what is installed, and so what may serve SSH.
const OTHERS: [&str; 12] = [
    "add-apt-repository",
    "sources.list",
    "ppa:",
    "yum.repos.d",
    "--add-repo",
    "yum-config-manager",
    "zypper addrepo",
    "zypper ar ",
    "etc/apk/repositories",
    "dpkg -i",
    "rpm -i",
    "ansible-playbook",
];

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

    /// Whether nothing that the image starts can listen for SSH: its base is known to start no server, all that starts it
    /// is seen, and neither the file nor the scripts that start it speak of a server, of something that starts others, or
    /// of packages that others than the distribution made.
    pub fn serves_no_ssh(self, context: &BuildContext<'_>) -> bool {
        let role = self.image_facts().and_then(|facts| facts.role.known().copied());
        let is_plain = matches!(role, Some(Role::Os | Role::Language | Role::Build | Role::Runtime));
        let startup = self.startup(context);
        if !is_plain || startup.process.is_none() {
            return false;
        }
        let is_silent = |text: &[u8]| {
            let text = String::from_utf8_lossy(text).to_ascii_lowercase();
            !DAEMONS.iter().chain(&OTHERS).any(|word| text.contains(word))
        };
        let scripts = self.start_scripts(context);
        is_silent(&self.model().file.text)
            && !self.starts_unread_script(&scripts)
            && scripts.iter().all(|script| is_silent(&script.file.text))
    }

    /// Whether what starts the image is a file of the build context, or a script by its name, that nobody has read here.
    fn starts_unread_script(self, scripts: &[StartScript]) -> bool {
        let sources: Vec<String> = self.chain_steps().flat_map(Step::sources).map(|source| source.text).collect();
        let is_copied = |name: &str| sources.iter().any(|source| file_name(source) == name);
        let is_script = |name: &str| name.ends_with(".sh") || name.ends_with(".bash");
        let is_read = |name: &str| scripts.iter().any(|script| file_name(&script.file.path) == name);
        let commands = self.start_steps().into_iter().flat_map(Step::commands);
        let words = commands.flat_map(|command| command.command.words().map(Word::text).collect::<Vec<_>>());
        words.into_iter().any(|word| {
            let name = file_name(&word);
            (is_copied(name) || is_script(name)) && !is_read(name)
        })
    }
}
