//! Who is to run an image: a user of the file, else one of the base, else a new one.

use super::{Obstacle, has_no_shell};
use crate::{
    knowledge::{Fact, Family, PackageManager},
    model::{AccountKind, NewUser, Stage, User},
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
    gid: Option<u32>,
    pub(super) name: Option<String>,
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
    pub(super) fn written(&self) -> String {
        match self.gid {
            Some(gid) => format!("{}:{gid}", self.uid),
            None => self.uid.to_string(),
        }
    }

    /// User and group for `chown`; without a group of its own `chown uid:` takes the one of its entry.
    pub(super) fn owner(&self) -> String {
        match self.gid {
            Some(gid) => format!("{}:{gid}", self.uid),
            None => format!("{}:", self.uid),
        }
    }
}

/// Who is to run the image: a user of the file, else one of the base, else a new one.
pub(super) fn identity(target: Stage<'_>) -> Result<Identity, Obstacle> {
    let plain = |uid, gid| Identity { uid, gid, name: None, making: Making::None };
    if has_no_shell(target) {
        return Ok(plain(SHELL_LESS_ID, Some(SHELL_LESS_ID)));
    }
    if let Some(identity) = own_user(target)? {
        return Ok(identity);
    }
    let facts = target.image_facts();
    if let Some(user) = facts.and_then(|facts| facts.user.known()).filter(|user| !user.is_root())
        && let Some(uid) = user.uid
    {
        return Ok(Identity { name: user.name.clone(), ..plain(uid, user.gid) });
    }
    let shipped = facts.and_then(|facts| facts.identity.known()).and_then(Option::as_ref);
    if let Some(shipped) = shipped {
        let Some(uid) = shipped.uid else {
            return Err(format!("the base image has the user `{}`, whose number is not known", shipped.name).into());
        };
        return Ok(Identity { name: Some(shipped.name.clone()), ..plain(uid, Some(shipped.gid.unwrap_or(uid))) });
    }
    if !target.shell().words.is_empty() && !target.steps().last().is_none_or(|step| step.dialect().is_bourne()) {
        return Err("the shell in force is none that could make a user".into());
    }
    let making = facts.map_or(Making::HomeOnly, |facts| making(&facts.family, &facts.package_manager));
    let name = match making {
        Making::Shadow | Making::BusyBox => Some("app".to_owned()),
        Making::None | Making::HomeOnly | Making::Number(_) => None,
    };
    Ok(Identity { uid: NEW_ID, gid: Some(NEW_ID), name, making })
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
        return Ok(Some(Identity { uid: ids.uid, gid, name: Some(name.clone()), making: Making::None }));
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
    Ok(Some(Identity { uid, gid: None, name: Some(name.clone()), making }))
}

/// The number that distributions give to the first user that is a person (`UID_MIN` of login.defs, adduser.conf).
const FIRST_ID: u32 = 1000;

/// Whether the system would give the user that number by itself: no other person is in the image.
fn is_first_person(target: Stage<'_>, new: &NewUser) -> bool {
    let facts = target.image_facts();
    let is_plain = facts.is_some_and(|facts| {
        let is_known = matches!(facts.family.known(), Some(Family::Debian | Family::Ubuntu | Family::Alpine));
        is_known && !matches!(facts.identity.known(), Some(Some(_)))
    });
    is_plain && !new.is_system && target.chain().count() == 1
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
            of_root.then(|| format!("/home/{}", identity.name.as_deref().unwrap_or("app")))
        }
        Making::HomeOnly => Some("/tmp".to_owned()),
        Making::None | Making::Number(_) => of_root.then(|| "/tmp".to_owned()),
    }
}
