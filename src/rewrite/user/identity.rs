//! Who is to run an image: a user of the file, else one of the base, else a new one.

use super::{Obstacle, ROOT_HOME, has_no_shell};
use crate::{
    knowledge::{Fact, Family, PackageManager},
    model::{AccountKind, NewUser, Stage, Step, User, UserOrigin},
    syntax::dockerfile::Keyword,
    text::Edit,
};

/// The user of images that have none of their own: outside of every range that distributions and images use.
const NEW_ID: u32 = 10_001;

/// The user of images without a shell, as distroless and Chainguard images number theirs.
const SHELL_LESS_ID: u32 = 65_532;

/// Who will run the image.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) uid: u32,
    /// `None` where the entry in `/etc/passwd` decides: it may be a member of further groups.
    pub(super) gid: Option<u32>,
    pub(super) name: Option<String>,
    /// Where it lives, if that is not where its name says.
    pub(super) home: Option<String>,
    pub(super) making: Making,
}

/// What has to be done so that the user is there.
#[derive(Clone, Debug)]
pub(super) enum Making {
    /// Nothing: the base or the file has it.
    None,
    /// Nothing but a home that it can write, because nobody knows how the image makes users.
    HomeOnly,
    /// With `useradd`.
    Shadow,
    /// With `adduser` of `BusyBox`.
    BusyBox,
    /// The command in the file that makes it gets a number.
    Number(Edit),
}

impl Identity {
    /// Somebody who needs no entry in `/etc/passwd`, or has one.
    fn numbered(uid: u32, gid: Option<u32>) -> Self {
        Self { uid, gid, name: None, home: None, making: Making::None }
    }

    pub(super) fn written(&self) -> String {
        match self.gid {
            Some(gid) => format!("{}:{gid}", self.uid),
            None => self.uid.to_string(),
        }
    }

    /// User and group for `chown`; without a group of its own `chown uid:` takes the one of its entry, if it has one.
    pub(super) fn owner(&self) -> String {
        match (self.gid, &self.name) {
            (Some(gid), _) => format!("{}:{gid}", self.uid),
            (None, Some(_)) => format!("{}:", self.uid),
            (None, None) => self.uid.to_string(),
        }
    }
}

/// Who is to run the image: a user of the file, else one of the base, else a new one.
pub(super) fn identity(target: Stage<'_>) -> Result<Identity, Obstacle> {
    if let Some(identity) = last_named(target) {
        return Ok(identity);
    }
    let facts = target.image_facts();
    let user = facts.and_then(|facts| facts.user.known()).filter(|user| !user.is_root());
    let shipped = facts.and_then(|facts| facts.identity.known()).and_then(Option::as_ref);
    if has_no_shell(target) {
        let of_base = user.and_then(|user| Some((user.uid?, user.gid)));
        let of_base = of_base.or_else(|| shipped.and_then(|shipped| Some((shipped.uid?, shipped.gid))));
        let (uid, gid) = of_base.unwrap_or((SHELL_LESS_ID, None));
        return Ok(Identity::numbered(uid, Some(gid.unwrap_or(uid))));
    }
    let named = named_user(target);
    let is_another = |identity: &Identity| named.as_ref().is_some_and(|name| identity.name.as_ref() != Some(name));
    match own_user(target)? {
        Some(identity) if !is_another(&identity) => return Ok(identity),
        Some(_) | None => {}
    }
    if let Some(name) = named {
        return Err(format!("which number the user `{name}` has is not known").into());
    }
    if let Some(user) = user
        && let Some(uid) = user.uid
    {
        return Ok(Identity { name: user.name.clone(), ..Identity::numbered(uid, user.gid) });
    }
    if let Some(shipped) = shipped {
        let Some(uid) = shipped.uid else {
            return Err(format!("the base image has the user `{}`, whose number is not known", shipped.name).into());
        };
        let gid = Some(shipped.gid.unwrap_or(uid));
        return Ok(Identity { name: Some(shipped.name.clone()), ..Identity::numbered(uid, gid) });
    }
    if let Some(identity) = owner_by_name(target) {
        return Ok(identity);
    }
    if !target.shell().words.is_empty() && !target.steps().last().is_none_or(|step| step.dialect().is_bourne()) {
        return Err("the shell in force is none that could make a user".into());
    }
    let making = facts.map_or(Making::HomeOnly, |facts| making(&facts.family, &facts.package_manager));
    let name = match making {
        Making::Shadow | Making::BusyBox => Some("app".to_owned()),
        Making::None | Making::HomeOnly | Making::Number(_) => None,
    };
    Ok(Identity { name, making, ..Identity::numbered(NEW_ID, Some(NEW_ID)) })
}

/// The user with these numbers: one that is there, or a new one where its group has the same number.
pub(super) fn asked(target: Stage<'_>, (uid, gid): (u32, u32)) -> Identity {
    let facts = target.image_facts();
    let shipped = facts.and_then(|facts| facts.identity.known()).and_then(Option::as_ref);
    let is_there =
        shipped.is_some_and(|shipped| shipped.uid == Some(uid)) || target.user_ids().is_some_and(|ids| ids.uid == uid);
    if has_no_shell(target) || is_there {
        return Identity::numbered(uid, Some(gid));
    }
    let making = match facts {
        Some(facts) if uid == gid && uid >= FIRST_ID => making(&facts.family, &facts.package_manager),
        Some(_) | None => Making::HomeOnly,
    };
    let is_named = matches!(making, Making::Shadow | Making::BusyBox);
    Identity { name: is_named.then(|| "app".to_owned()), making, ..Identity::numbered(uid, Some(gid)) }
}

/// The user without privileges that the last `USER` of the file names, if its number is known.
fn last_named(target: Stage<'_>) -> Option<Identity> {
    let user = target.user();
    let is_written = matches!(user.origin, UserOrigin::Instruction { .. });
    let ids = target.ids_of(&user.user).filter(|_| is_written && user.user.is_unprivileged())?;
    let name = match &user.user {
        User::Named { name, .. } => Some(name.to_string()),
        User::Root | User::Numeric { .. } | User::Unknown(_) => None,
    };
    Some(Identity { name, ..Identity::numbered(ids.uid, ids.gid) })
}

/// The user without privileges that the file names to run the image.
fn named_user(target: Stage<'_>) -> Option<String> {
    let current = target.user();
    match (&current.user, current.origin) {
        (User::Named { name, .. }, UserOrigin::Instruction { .. }) if &**name != "root" => Some(name.to_string()),
        _ => None,
    }
}

/// The one account of the base that steps give files to by its name: what starts or configures the program may name
/// it too.
fn owner_by_name(target: Stage<'_>) -> Option<Identity> {
    let changes = target.chain_steps().flat_map(Step::owner_changes).map(|change| change.owner);
    let flags = target.chain_steps().filter_map(|step| step.instruction().flag("chown")?.value.clone());
    let user_of = |owner: String| owner.split([':', '.']).next().unwrap_or_default().to_owned();
    let mut names: Vec<String> = changes.chain(flags).map(user_of).collect();
    names.retain(|name| !matches!(name.as_str(), "" | "root" | "0" | "nobody"));
    names.sort();
    names.dedup();
    let [name] = names.as_slice() else { return None };
    let user = User::Named { name: name.as_str().into(), group: None };
    let ids = target.ids_of(&user).filter(|ids| ids.uid != 0)?;
    let gid = Some(ids.gid.unwrap_or(ids.uid));
    Some(Identity { name: Some(name.clone()), ..Identity::numbered(ids.uid, gid) })
}

/// The user that runs the image of `old`, to run the one of `target` too: the same numbers, and the same name where
/// the image can have users.
pub(super) fn restated(old: Stage<'_>, target: Stage<'_>) -> Result<Identity, Obstacle> {
    let user = old.user();
    let ids = old.ids_of(&user.user).filter(|_| user.user.is_unprivileged());
    let Some(ids) = ids else {
        let identity = identity(target)?;
        let is_kept = |name: &String| has_no_shell(target) || identity.name.as_ref() == Some(name);
        return match named_user(old).filter(|name| !is_kept(name)) {
            Some(name) => Err(format!("which number the user `{name}` has is not known").into()),
            None => Ok(identity),
        };
    };
    let changes = old.account_changes();
    let made = changes.iter().find_map(|change| match &change.kind {
        AccountKind::User(new) => {
            let is_named = matches!(&user.user, User::Named { name, .. } if new.name.as_deref() == Some(name));
            (is_named || new.uid == Some(ids.uid)).then_some(new)
        }
        AccountKind::Group { .. } | AccountKind::Membership { .. } | AccountKind::Renumbered { .. } => None,
    });
    let name = made.and_then(|new| new.name.clone()).filter(|name| is_plain_name(name));
    let is_member = |name: &str| {
        changes
            .iter()
            .any(|change| matches!(&change.kind, AccountKind::Membership { user, .. } if user.as_deref() == Some(name)))
    };
    if let Some(name) = name.as_deref().filter(|name| made.is_some_and(|new| !new.groups.is_empty()) || is_member(name))
    {
        return Err(format!("`{name}` is a member of other groups, which the new image would have to have too").into());
    }
    let gid = Some(ids.gid.unwrap_or(ids.uid));
    let facts = target.image_facts();
    let shipped = facts.and_then(|facts| facts.identity.known()).and_then(Option::as_ref);
    let is_there = shipped.is_some_and(|shipped| shipped.uid == Some(ids.uid));
    if has_no_shell(target) || is_there {
        return Ok(Identity::numbered(ids.uid, gid));
    }
    let Some(name) = name else { return Ok(Identity { name: named_user(old), ..Identity::numbered(ids.uid, gid) }) };
    let making = facts.map_or(Making::HomeOnly, |facts| making(&facts.family, &facts.package_manager));
    let home = made.and_then(|new| new.home.clone()).filter(|home| home.starts_with('/'));
    Ok(Identity { name: Some(name), home, making, ..Identity::numbered(ids.uid, gid) })
}

/// Whether every system takes it as the name of a user.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    name.len() <= 32 && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_plain)
}

/// How an image of that family makes users. Images of Amazon, and those with `microdnf`, come without `useradd`.
fn making(family: &Fact<Family>, manager: &Fact<Option<PackageManager>>) -> Making {
    match (family.known(), manager.known()) {
        (Some(Family::Debian | Family::Ubuntu), _)
        | (Some(Family::Rhel), Some(Some(PackageManager::Yum | PackageManager::Dnf))) => Making::Shadow,
        (Some(Family::Alpine), _) => Making::BusyBox,
        _ => Making::HomeOnly,
    }
}

/// The one user that the file makes or names.
pub(super) fn own_user(target: Stage<'_>) -> Result<Option<Identity>, Obstacle> {
    let changes = target.account_changes();
    let mut made = changes.iter().filter_map(|change| match &change.kind {
        AccountKind::User(new) => Some((change, new)),
        AccountKind::Group { .. } | AccountKind::Membership { .. } | AccountKind::Renumbered { .. } => None,
    });
    let (Some((change, new)), None) = (made.next(), made.next()) else { return Ok(None) };
    let Some(name) = &new.name else { return Err("a variable names the user that the file makes".into()) };
    let is_member = !new.groups.is_empty()
        || changes
            .iter()
            .any(|change| matches!(&change.kind, AccountKind::Membership { user, .. } if user.as_ref() == Some(name)));
    let user = User::Named { name: name.as_str().into(), group: None };
    if let Some(ids) = target.ids_of(&user) {
        if ids.uid == 0 {
            return Err(format!("the file makes `{name}`, who is root by another name").into());
        }
        let gid = ids.gid.filter(|_| !is_member);
        return Ok(Some(Identity { name: Some(name.clone()), ..Identity::numbered(ids.uid, gid) }));
    }
    let command = change.command;
    let is_numbered = command.command.words().any(|word| {
        let text = word.text();
        text == "-u" || text.starts_with("--uid") || text == "-o"
    });
    let program = command.command.words().find(|word| matches!(word.bytes(), b"useradd" | b"adduser"));
    let Some(program) = program
        .filter(|_| !is_numbered && is_editable(new, command.script.is_verbatim() && command.command.is_verbatim()))
    else {
        return Err(format!("which number the user `{name}` gets is not known").into());
    };
    let option = match (program.bytes(), target.image_facts().and_then(|facts| facts.family.known())) {
        (b"useradd", _) => "--uid",
        (_, Some(Family::Alpine | Family::Busybox)) => "-u",
        _ => "--uid",
    };
    let file = target.model().file.id;
    let at = command.word_span(program).end as usize;
    let uid = if is_first_person(target, new) { FIRST_ID } else { NEW_ID };
    let making = Making::Number(Edit::insert(file, at, format!(" {option} {uid}")));
    Ok(Some(Identity { name: Some(name.clone()), making, ..Identity::numbered(uid, None) }))
}

/// The number that distributions give to the first user that is a person (`UID_MIN` of login.defs, adduser.conf).
pub(super) const FIRST_ID: u32 = 1000;

/// Whether the system would give the user that number by itself: no other person is in the image.
fn is_first_person(target: Stage<'_>, new: &NewUser) -> bool {
    let facts = target.image_facts();
    let is_plain = facts.is_some_and(|facts| {
        let is_known = matches!(facts.family.known(), Some(Family::Debian | Family::Ubuntu | Family::Alpine));
        is_known && !matches!(facts.identity.known(), Some(Some(_)))
    });
    is_plain && !new.is_system && target.chain().count() == 1
}

/// Whether a user has a number by itself that the file is to write out.
pub(super) enum Kept {
    /// The base has no person, and nothing unseen makes one.
    Certainly,
    /// It has, unless something unseen made a user before.
    Likely,
    /// The system chose another one.
    No,
}

/// Whether the user that the file numbers has that number before.
pub(super) fn kept_number(target: Stage<'_>, identity: &Identity) -> Kept {
    if identity.uid != FIRST_ID {
        return Kept::No;
    }
    let facts = target.image_facts();
    let is_base_empty = facts.is_some_and(|facts| matches!(facts.identity.known(), Some(None)));
    let is_seen = !target.steps().any(|step| step.may_install_unseen() || brings_accounts(step));
    if is_base_empty && is_seen { Kept::Certainly } else { Kept::Likely }
}

/// Whether a step may put a list of users over that of the base.
fn brings_accounts(step: Step<'_>) -> bool {
    let to = || step.destination().and_then(|word| step.absolute_arg(word));
    matches!(step.keyword(), Keyword::Copy | Keyword::Add)
        && to().is_none_or(|to| to == "/" || to == "/etc" || to.starts_with("/etc/"))
}

fn is_editable(new: &NewUser, is_verbatim: bool) -> bool {
    is_verbatim && new.uid.is_none()
}

/// A home that the user can write, where it would get none.
pub(super) fn home(target: Stage<'_>, identity: &Identity) -> Option<String> {
    if has_no_shell(target) {
        return None;
    }
    let of_root =
        target.variable("HOME").and_then(|home| home.value.as_ref()).is_some_and(|home| home.text.starts_with("/root"));
    match identity.making {
        Making::Shadow | Making::BusyBox => {
            let home = || format!("/home/{}", identity.name.as_deref().unwrap_or("app"));
            let home = identity.home.clone().unwrap_or_else(home);
            (of_root && home != ROOT_HOME).then_some(home)
        }
        Making::HomeOnly => Some("/tmp".to_owned()),
        Making::None | Making::Number(_) => of_root.then(|| "/tmp".to_owned()),
    }
}
