//! Rung 1: a user with a number, who owns what it writes.

use super::{Judge, Rung};
use crate::{
    model::{Ids, RootReason, UnknownUser, User, UserOrigin},
    rewrite::user::withheld,
};
use std::borrow::Cow;

impl Judge<'_, '_> {
    pub(super) fn user(&mut self) {
        let ids = match self.ids() {
            Ok(ids) => ids,
            Err(reason) => return self.miss(Rung::NonRoot, reason),
        };
        let name = match &self.target.user().user {
            User::Named { name, .. } => Some(&**name),
            User::Root | User::Numeric { .. } | User::Unknown(_) => None,
        };
        match withheld(self.cx, self.target, ids.uid, name) {
            Ok(None) => {}
            Ok(Some((path, by))) => {
                let reason = format!("it writes `{path}` ({by}), which no step gives to {}", ids.uid);
                self.miss(Rung::NonRoot, reason);
            }
            Err(obstacle) => self.miss(Rung::NonRoot, obstacle),
        }
    }

    /// The numbers of the user that runs the image, if it is certainly not root and its number is written.
    fn ids(&self) -> Result<Ids, Cow<'static, str>> {
        let user = self.target.user();
        match (&user.user, user.origin) {
            (User::Root, _) => Err(self.why_root()),
            (User::Unknown(why), _) => Err(unknown(*why).into()),
            (User::Numeric { uid, .. }, _) => Ok(self.target.user_ids().unwrap_or(Ids { uid: *uid, gid: None })),
            // What the base image's own configuration says is looked up, not guessed.
            (User::Named { name, .. }, UserOrigin::BaseImage { .. }) => self
                .target
                .user_ids()
                .filter(|ids| ids.uid != 0)
                .ok_or_else(|| format!("the number of `{name}`, as whom the base image runs, is not known").into()),
            (User::Named { name, .. }, UserOrigin::Instruction { span, .. }) => Err(format!(
                "`USER {name}` in line {} is a name, and only a number tells that it is not root",
                self.line(span)
            )
            .into()),
            (User::Named { name, .. }, UserOrigin::Nobody) => {
                Err(format!("the number of `{name}` is not known").into())
            }
        }
    }

    fn why_root(&self) -> Cow<'static, str> {
        let steps_down = self.target.root_reason() == Some(RootReason::BaseStepsDown);
        match self.target.user().origin {
            UserOrigin::Instruction { span, .. } => {
                format!("`USER` in line {} says that it runs as root", self.line(span)).into()
            }
            UserOrigin::BaseImage { .. } | UserOrigin::Nobody if steps_down => {
                "it starts as root, and the entry point of its base becomes another user by itself".into()
            }
            UserOrigin::BaseImage { .. } | UserOrigin::Nobody => "it runs as root: no `USER` says otherwise".into(),
        }
    }
}

fn unknown(why: UnknownUser) -> &'static str {
    match why {
        UnknownUser::Variable => "a variable without a default decides who runs it",
        UnknownUser::BaseImage => "nothing is known of the user of the base image: name one with `USER`",
        UnknownUser::Base => "a variable decides what it is built on, and so who runs it",
    }
}
