//! Users and groups that a stage creates, and the numbers behind their names.
//!
//! Sources of the command lines: the manual pages of useradd(8), usermod(8), groupadd(8), gpasswd(1), Debian's
//! adduser(8), and `BusyBox`'s adduser and addgroup.

use super::{
    options::{Options, Valued},
    programs::Programs,
    script::StepCommand,
    stage::Stage,
    step::Step,
    user::{Group, User},
};
use crate::{
    knowledge::Family,
    syntax::{dockerfile::Keyword, shell::Invocation},
    text::Span,
};
use std::borrow::Cow;

/// Accounts are followed through so many stages that start from each other.
const MOST_STAGES: usize = 64;

/// What one command does to the accounts of an image.
#[derive(Clone, Debug)]
pub struct AccountChange<'m> {
    /// The command.
    pub command: StepCommand<'m>,
    /// What it does.
    pub kind: AccountKind,
}

impl AccountChange<'_> {
    /// Where the command lies in the file.
    pub fn span(&self) -> Span {
        self.command.span()
    }
}

/// What is done to accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// A user is created.
    User(NewUser),
    /// A group is created.
    Group {
        /// Its name; `None` if nobody can tell.
        name: Option<String>,
        /// Its number, if it is given.
        gid: Option<u32>,
    },
    /// A user becomes a member of groups.
    Membership {
        /// The user; `None` if nobody can tell.
        user: Option<String>,
        /// The groups that can be told.
        groups: Vec<String>,
    },
    /// A user gets another number or primary group.
    Renumbered {
        /// The user; `None` if nobody can tell.
        user: Option<String>,
        /// The new number.
        uid: Option<u32>,
        /// The new primary group.
        group: Option<Group>,
    },
}

/// A user that is created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewUser {
    /// Its name; `None` if nobody can tell.
    pub name: Option<String>,
    /// Its number, if it is given.
    pub uid: Option<u32>,
    /// Its primary group, if it is given.
    pub group: Option<Group>,
    /// Other groups that it is a member of.
    pub groups: Vec<String>,
    /// Its home, if it is given.
    pub home: Option<String>,
    /// Its login shell, if it is given.
    pub shell: Option<String>,
    /// Whether it is asked for a number in the range of system accounts.
    pub is_system: bool,
}

/// The numbers of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// The user.
    pub uid: u32,
    /// The primary group, if it can be told.
    pub gid: Option<u32>,
}

impl<'m> Step<'m> {
    /// The programs that create and change accounts.
    pub const ACCOUNT_PROGRAMS: Programs =
        Programs::of(&["useradd", "adduser", "groupadd", "addgroup", "usermod", "gpasswd"]);

    /// What the commands of a `RUN` do to accounts, in order.
    pub fn account_changes(self) -> Vec<AccountChange<'m>> {
        if self.keyword() != Keyword::Run {
            return Vec::new();
        }
        self.commands_beside(Self::ACCOUNT_PROGRAMS).filter_map(account_change).collect()
    }
}

impl<'m> Stage<'m> {
    /// What its steps and those of the stages it starts from do to accounts, oldest first.
    pub fn account_changes(self) -> Vec<AccountChange<'m>> {
        let mut chain: Vec<_> = self.chain().take(MOST_STAGES).collect();
        chain.reverse();
        chain.into_iter().flat_map(Stage::steps).flat_map(Step::account_changes).collect()
    }

    /// The numbers of its user: written, given where the user is created, or known of the base image.
    pub fn user_ids(self) -> Option<Ids> {
        self.ids_of(&self.user().user)
    }

    /// The numbers of `user` at the end of the stage, if they can be told.
    pub fn ids_of(self, user: &User) -> Option<Ids> {
        match user {
            User::Root => Some(Ids { uid: 0, gid: Some(0) }),
            User::Numeric { uid, group } => {
                let gid = group.as_ref().and_then(|group| self.gid_of(group));
                Some(Ids { uid: *uid, gid })
            }
            User::Named { name, group } => {
                let ids = self.ids_of_name(name)?;
                let gid = group.as_ref().map_or(ids.gid, |group| self.gid_of(group));
                Some(Ids { uid: ids.uid, gid })
            }
            User::Unknown(_) => None,
        }
    }

    fn ids_of_name(self, name: &str) -> Option<Ids> {
        let changes = self.account_changes();
        let mut ids: Option<Option<Ids>> = None;
        for change in &changes {
            match &change.kind {
                AccountKind::User(new) if new.name.as_deref() == Some(name) => {
                    let gid = new.group.as_ref().and_then(|group| gid_among(&changes, group));
                    ids = Some(new.uid.map(|uid| Ids { uid, gid }));
                }
                AccountKind::Renumbered { user: Some(user), uid, group } if user == name => {
                    let old = ids.flatten();
                    let gid = group.as_ref().and_then(|group| gid_among(&changes, group));
                    let uid = uid.or(old.map(|ids| ids.uid));
                    ids = Some(uid.map(|uid| Ids { uid, gid: gid.or(old.and_then(|ids| ids.gid)) }));
                }
                AccountKind::Renumbered { user: None, .. } => ids = Some(None),
                AccountKind::User(_)
                | AccountKind::Group { .. }
                | AccountKind::Membership { .. }
                | AccountKind::Renumbered { .. } => {}
            }
        }
        ids.unwrap_or_else(|| self.ids_in_base(name))
    }

    /// The numbers of a user that the base image ships.
    fn ids_in_base(self, name: &str) -> Option<Ids> {
        let facts = self.named_image()?.facts.as_deref()?;
        if let Some(user) = facts.user.known().filter(|user| user.name.as_deref() == Some(name)) {
            return user.uid.map(|uid| Ids { uid, gid: user.gid });
        }
        let identity = facts.identity.known().and_then(Option::as_ref).filter(|identity| identity.name == name);
        match identity {
            Some(identity) => identity.uid.map(|uid| Ids { uid, gid: identity.gid }),
            None => facts.family.known().and_then(|family| standard_account(*family, name)),
        }
    }

    fn gid_of(self, group: &Group) -> Option<u32> {
        gid_among(&self.account_changes(), group).or_else(|| {
            let Group::Named(name) = group else { return None };
            let family = self.named_image()?.facts.as_deref()?.family.known()?;
            standard_group(*family, name)
        })
    }
}

/// An account without a login of its own that every image of a distribution has: the files `passwd.master` of Debian's
/// `base-passwd`, and `passwd` of Alpine's `alpine-baselayout`, of `BusyBox`'s image and of Wolfi's `wolfi-baselayout`.
fn standard_account(family: Family, name: &str) -> Option<Ids> {
    let (uid, gid) = match (family, name) {
        (Family::Debian | Family::Ubuntu, "daemon") => (1, 1),
        (Family::Debian | Family::Ubuntu, "bin") => (2, 2),
        (Family::Debian | Family::Ubuntu, "sys") => (3, 3),
        (Family::Debian | Family::Ubuntu, "games") => (5, 60),
        (Family::Debian | Family::Ubuntu, "man") => (6, 12),
        (Family::Debian | Family::Ubuntu, "mail") => (8, 8),
        (Family::Debian | Family::Ubuntu, "proxy") => (13, 13),
        (Family::Debian | Family::Ubuntu, "www-data") => (33, 33),
        (Family::Debian | Family::Ubuntu, "backup") => (34, 34),
        (Family::Alpine, "guest") => (405, 100),
        (Family::Debian | Family::Ubuntu | Family::Alpine | Family::Busybox | Family::Wolfi, "nobody") => {
            (65_534, 65_534)
        }
        _ => return None,
    };
    Some(Ids { uid, gid: Some(gid) })
}

/// A group that every image of a distribution has, by the same sources.
fn standard_group(family: Family, name: &str) -> Option<u32> {
    match (family, name) {
        (Family::Debian | Family::Ubuntu, "nogroup") => Some(65_534),
        (Family::Debian | Family::Ubuntu, "staff") => Some(50),
        (Family::Debian | Family::Ubuntu | Family::Alpine, "users") => Some(100),
        (Family::Alpine, "www-data") => Some(82),
        _ => standard_account(family, name).and_then(|ids| ids.gid),
    }
}

/// The number of a group that one of `changes` creates.
fn gid_among(changes: &[AccountChange<'_>], group: &Group) -> Option<u32> {
    let wanted = match group {
        Group::Numeric(gid) => return Some(*gid),
        Group::Named(name) if &**name == "root" => return Some(0),
        Group::Named(name) => &**name,
    };
    changes.iter().rev().find_map(|change| match &change.kind {
        AccountKind::Group { name, gid } if name.as_deref() == Some(wanted) => *gid,
        AccountKind::User(_)
        | AccountKind::Group { .. }
        | AccountKind::Membership { .. }
        | AccountKind::Renumbered { .. } => None,
    })
}

/// What a command does to accounts, if anything.
fn account_change(command: StepCommand<'_>) -> Option<AccountChange<'_>> {
    let kind = match command.name()? {
        "useradd" => user_add(command),
        "adduser" => add_user(command),
        "groupadd" => group_add(command),
        "addgroup" => add_group(command),
        "usermod" => user_mod(command)?,
        "gpasswd" => group_password(command)?,
        _ => return None,
    };
    Some(AccountChange { command, kind })
}

const USERADD: Valued = Valued {
    short: "bcdefgGkKpPRsuZF",
    long: &[
        "base-dir",
        "comment",
        "home-dir",
        "home",
        "expiredate",
        "inactive",
        "gid",
        "groups",
        "skel",
        "key",
        "password",
        "prefix",
        "root",
        "shell",
        "uid",
        "selinux-user",
    ],
};

fn user_add(command: StepCommand<'_>) -> AccountKind {
    let options = Options::read(command, USERADD);
    AccountKind::User(NewUser {
        name: operand(command, &options, 0),
        uid: number(options.value(Some('u'), "uid")),
        group: text(options.value(Some('g'), "gid")).map(|group| group_of(&group)),
        groups: list(options.value(Some('G'), "groups")),
        home: text(options.value(Some('d'), "home-dir")).or_else(|| text(options.value(None, "home"))),
        shell: text(options.value(Some('s'), "shell")),
        is_system: options.has(Some('r'), "system"),
    })
}

const ADDUSER_DEBIAN: Valued = Valued {
    short: "",
    long: &[
        "uid",
        "gid",
        "home",
        "shell",
        "gecos",
        "comment",
        "ingroup",
        "firstuid",
        "lastuid",
        "firstgid",
        "lastgid",
        "conf",
        "add_extra_groups",
    ],
};
const ADDUSER_BUSYBOX: Valued = Valued { short: "hgsGuk", long: &["home", "gecos", "shell", "ingroup", "uid", "skel"] };

/// Which of the programs called `adduser` is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddUser {
    Debian,
    BusyBox,
    /// Another name of `useradd`.
    Shadow,
}

fn add_user_of(command: StepCommand<'_>) -> AddUser {
    let facts = command.step.stage().named_image().and_then(|image| image.facts.as_deref());
    match facts.and_then(|facts| facts.family.known()) {
        Some(Family::Debian | Family::Ubuntu) => return AddUser::Debian,
        Some(Family::Alpine | Family::Busybox | Family::Wolfi) => return AddUser::BusyBox,
        Some(Family::Rhel | Family::Amazon | Family::Azurelinux | Family::Photon | Family::Mageia) => {
            return AddUser::Shadow;
        }
        Some(
            Family::Suse
            | Family::Arch
            | Family::Gentoo
            | Family::Clearlinux
            | Family::Slackware
            | Family::Void
            | Family::Nix
            | Family::Distroless
            | Family::Scratch
            | Family::Windows
            | Family::Other,
        )
        | None => {}
    }
    let arguments = command.invocation().map(Invocation::arguments);
    let mut letters = arguments.into_iter().flatten().filter_map(|word| word.bytes().strip_prefix(b"-"));
    if letters.clone().any(|word| word.first().is_some_and(|&byte| byte == b'D' || byte == b'S' || byte == b'H')) {
        return AddUser::BusyBox;
    }
    if letters.any(|word| word.first().is_some_and(|&byte| byte != b'-')) { AddUser::Shadow } else { AddUser::Debian }
}

fn add_user(command: StepCommand<'_>) -> AccountKind {
    let kind = add_user_of(command);
    let options = match kind {
        AddUser::Shadow => return user_add(command),
        AddUser::Debian => Options::read(command, ADDUSER_DEBIAN),
        AddUser::BusyBox => Options::read(command, ADDUSER_BUSYBOX),
    };
    if options.operands.len() == 2 {
        return membership(command, &options, 0, 1);
    }
    let group = match kind {
        AddUser::BusyBox => options.value(Some('G'), "ingroup"),
        AddUser::Debian | AddUser::Shadow => options.value(None, "ingroup").or_else(|| options.value(None, "gid")),
    };
    AccountKind::User(NewUser {
        name: operand(command, &options, 0),
        uid: number(options.value(Some('u'), "uid")),
        group: text(group).map(|group| group_of(&group)),
        groups: Vec::new(),
        home: text(options.value(Some('h'), "home")),
        shell: text(options.value(Some('s'), "shell")),
        is_system: options.has(Some('S'), "system"),
    })
}

fn group_add(command: StepCommand<'_>) -> AccountKind {
    let valued = Valued { short: "gKpRPU", long: &["gid", "key", "password", "root", "prefix", "users"] };
    let options = Options::read(command, valued);
    AccountKind::Group { name: operand(command, &options, 0), gid: number(options.value(Some('g'), "gid")) }
}

fn add_group(command: StepCommand<'_>) -> AccountKind {
    let options = Options::read(command, Valued { short: "g", long: &["gid", "firstgid", "lastgid", "conf"] });
    if options.operands.len() == 2 {
        return membership(command, &options, 0, 1);
    }
    AccountKind::Group { name: operand(command, &options, 0), gid: number(options.value(Some('g'), "gid")) }
}

fn user_mod(command: StepCommand<'_>) -> Option<AccountKind> {
    let valued = Valued {
        short: "cdefgGlpRsuZvVwW",
        long: &[
            "comment",
            "home",
            "expiredate",
            "inactive",
            "gid",
            "groups",
            "login",
            "password",
            "root",
            "prefix",
            "shell",
            "uid",
            "selinux-user",
        ],
    };
    let options = Options::read(command, valued);
    let user = operand(command, &options, 0);
    if options.has(Some('G'), "groups") {
        return Some(AccountKind::Membership { user, groups: list(options.value(Some('G'), "groups")) });
    }
    if !options.has(Some('u'), "uid") && !options.has(Some('g'), "gid") {
        return None;
    }
    let (uid, group) = (options.value(Some('u'), "uid"), options.value(Some('g'), "gid"));
    Some(AccountKind::Renumbered { user, uid: number(uid), group: group.map(|group| group_of(&group)) })
}

fn group_password(command: StepCommand<'_>) -> Option<AccountKind> {
    let options =
        Options::read(command, Valued { short: "adQAM", long: &["add", "delete", "administrators", "members"] });
    if !options.has(Some('a'), "add") {
        return None;
    }
    let groups = operand(command, &options, 0).into_iter().collect();
    Some(AccountKind::Membership { user: text(options.value(Some('a'), "add")), groups })
}

fn membership<'m>(command: StepCommand<'m>, options: &Options<'m>, user: usize, group: usize) -> AccountKind {
    let groups = operand(command, options, group).into_iter().collect();
    AccountKind::Membership { user: operand(command, options, user), groups }
}

fn operand<'m>(command: StepCommand<'m>, options: &Options<'m>, index: usize) -> Option<String> {
    options.operands.get(index).and_then(|&word| command.value(word)).map(Cow::into_owned)
}

fn text(value: Option<Cow<'_, str>>) -> Option<String> {
    value.map(Cow::into_owned)
}

fn number(value: Option<Cow<'_, str>>) -> Option<u32> {
    value.and_then(|text| text.parse().ok())
}

fn list(value: Option<Cow<'_, str>>) -> Vec<String> {
    let text = value.unwrap_or_default();
    text.split(',').filter(|group| !group.is_empty()).map(str::to_owned).collect()
}

fn group_of(text: &str) -> Group {
    text.parse().map_or_else(|_| Group::Named(text.into()), Group::Numeric)
}
