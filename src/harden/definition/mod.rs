//! What compose files and manifests have to say of an image that can less: the last rung of the ladder.
//!
//! [`Needs`] is what such a file must know of the image. A service or container answers with [`Demand`]s: each is met,
//! or can be set, or says why not. Nothing here applies an edit; the settings of a demand go together.

mod container;
mod needs;
mod runner;
mod service;

pub use container::of_container;
pub use needs::Needs;
pub use service::of_service;

use crate::{
    rewrite::manifest::{append_below, set_below},
    syntax::yaml::{Editor, Node, Value},
    text::Edit,
};
use std::borrow::Cow;

/// Something that has to be said of a service or container.
#[derive(Clone, Debug)]
pub struct Demand {
    /// What is said then: imperative, a few words.
    pub title: Cow<'static, str>,
    /// Why that can be said, or what would prove that it can.
    pub reason: Cow<'static, str>,
    /// Whether the image does not do its work without it, or is root again, now that it is not root any more.
    pub follows: bool,
    /// What has to be set for it, in this order; nothing where it cannot be said.
    pub settings: Vec<Setting>,
}

impl Demand {
    /// What can be said.
    fn set(title: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>, settings: Vec<Setting>) -> Self {
        Self { title: title.into(), reason: reason.into(), follows: false, settings }
    }

    /// What cannot be said.
    fn refused(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::set("", reason, Vec::new())
    }

    /// The same, without which the image does not do what it did.
    fn following(self) -> Self {
        Self { follows: true, ..self }
    }
}

/// One key that is set.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Whether it is the pod's; else it is the service's or the container's own.
    pub of_pod: bool,
    /// Where, below that.
    path: &'static [&'static str],
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    /// It gets this value.
    Set(Value),
    /// The list there gets this item.
    Append(Value),
    /// It goes.
    Remove,
}

impl Setting {
    fn own(path: &'static [&'static str], act: Act) -> Self {
        Self { of_pod: false, path, act }
    }

    fn pod(path: &'static [&'static str], act: Act) -> Self {
        Self { of_pod: true, path, act }
    }

    /// The edit that makes it, below `mapping`.
    ///
    /// # Errors
    /// Why it is not edited.
    pub fn edit<'y>(&self, editor: &Editor<'y>, mapping: Node<'y>) -> Result<Edit, String> {
        match &self.act {
            Act::Set(value) => set_below(editor, mapping, self.path, value.clone()),
            Act::Append(item) => append_below(editor, mapping, self.path, item.clone()),
            Act::Remove => {
                let [key] = self.path else { return Err("only a key of its own is taken out".to_owned()) };
                editor.remove_key(mapping, key).map_err(|refusal| refusal.to_string())
            }
        }
    }
}

/// Whether `path` is `directory`, or lies in it.
fn is_in(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
