//! Who runs the commands of a stage and the image made of it. The one engine for that question.

use super::expand::Value;
use crate::text::Span;

/// A user, as far as the file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// The administrator: `root`, `0`, or nobody else named.
    Root,
    /// A number other than 0.
    Numeric {
        /// The user.
        uid: u32,
        /// The group behind the colon; without one the group is that of `/etc/passwd`, or root.
        group: Option<Group>,
    },
    /// A name, which needs an entry in the `/etc/passwd` of the image.
    Named {
        /// The user.
        name: Box<str>,
        /// The group behind the colon.
        group: Option<Group>,
    },
    /// Nobody can tell from the file.
    Unknown(UnknownUser),
}

/// A group, as `USER` and `--chown` name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// By number.
    Numeric(u32),
    /// By name.
    Named(Box<str>),
}

/// Why a user is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnknownUser {
    /// A variable decides, and nothing says its value.
    Variable,
    /// The base image decides, and nothing is known of it.
    BaseImage,
    /// The base image decides, and which one it is depends on a variable.
    Base,
}

impl User {
    /// Reads `user[:group]`, variables replaced; nothing written is root.
    pub fn parse(text: &str) -> Self {
        let (user, group) = text.split_once(':').map_or((text, ""), |(user, group)| (user, group));
        let group = match group.parse() {
            _ if group.is_empty() => None,
            Ok(gid) => Some(Group::Numeric(gid)),
            Err(_) => Some(Group::Named(group.into())),
        };
        match user.parse() {
            _ if user.is_empty() || user == "root" => User::Root,
            Ok(0) => User::Root,
            Ok(uid) => User::Numeric { uid, group },
            Err(_) => User::Named { name: user.into(), group },
        }
    }

    /// Whether it is certainly the administrator.
    pub fn is_root(&self) -> bool {
        match self {
            User::Root => true,
            User::Named { name, .. } => name.eq_ignore_ascii_case("ContainerAdministrator"),
            User::Numeric { .. } | User::Unknown(_) => false,
        }
    }

    /// Whether it is certainly not the administrator, as far as names can tell.
    pub fn is_unprivileged(&self) -> bool {
        match self {
            User::Root | User::Unknown(_) => false,
            User::Numeric { .. } => true,
            User::Named { .. } => !self.is_root(),
        }
    }
}

/// A user in force, and who says so.
#[derive(Clone, Debug)]
pub struct EffectiveUser<'a> {
    /// The user.
    pub user: User,
    /// As it is written, variables replaced; empty where nobody writes one.
    pub value: Value<'a>,
    /// Who says so.
    pub origin: UserOrigin,
}

/// Who says which user is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserOrigin {
    /// A `USER` instruction.
    Instruction {
        /// The stage that it runs in; another one than asked for where the user is inherited.
        stage: u32,
        /// The argument.
        span: Span,
    },
    /// The base image of this stage: what is known of it, or nothing.
    BaseImage {
        /// The stage whose `FROM` names it.
        stage: u32,
    },
    /// Nobody: the stage starts from `scratch`.
    Nobody,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_apart_by_number_and_name() {
        let numeric = |uid, group| User::Numeric { uid, group };
        for (written, expected) in [
            ("", User::Root),
            ("root", User::Root),
            ("0", User::Root),
            ("0:1000", User::Root),
            ("root:root", User::Root),
            ("1000", numeric(1000, None)),
            ("1000:0", numeric(1000, Some(Group::Numeric(0)))),
            ("1000:app", numeric(1000, Some(Group::Named("app".into())))),
            ("node", User::Named { name: "node".into(), group: None }),
            ("app:app", User::Named { name: "app".into(), group: Some(Group::Named("app".into())) }),
            ("99999999999", User::Named { name: "99999999999".into(), group: None }),
        ] {
            assert_eq!(User::parse(written), expected, "{written}");
        }
    }
}
