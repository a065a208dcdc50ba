//! `RUN --mount`: what a step sees of other stages, images, caches and secrets while it runs.

use super::{dockerfile::CopySource, expand::Value, step::Step};
use crate::syntax::dockerfile::{Flag, Keyword};

/// One `--mount` of a `RUN`.
#[derive(Clone, Debug)]
pub struct Mount<'m> {
    /// The flag.
    pub flag: &'m Flag,
    /// What is mounted.
    pub kind: MountKind,
    /// Where a bind or cache mount takes its files from; `None` for the build context or an empty cache.
    pub from: Option<CopySource<'m>>,
    /// `source`: the path in `from`, or the id of a secret.
    pub source: Option<Value<'m>>,
    /// `target`: the path in the container.
    pub target: Option<Value<'m>>,
    /// `id` of a cache, secret or SSH agent.
    pub id: Option<Value<'m>>,
    /// `env`: the variable that holds a secret.
    pub env: Option<Value<'m>>,
    /// `sharing` of a cache.
    pub sharing: Option<Value<'m>>,
    /// `mode`, in octal digits as written.
    pub mode: Option<Value<'m>>,
    /// `uid`, as written.
    pub uid: Option<Value<'m>>,
    /// `gid`, as written.
    pub gid: Option<Value<'m>>,
    /// Whether a build without the secret or agent fails.
    pub required: bool,
}

/// What a `--mount` mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MountKind {
    /// Files of the build context, a stage or an image; the default.
    Bind,
    /// A directory kept between builds.
    Cache,
    /// Memory.
    Tmpfs,
    /// A secret of the one who builds.
    Secret,
    /// The SSH agent of the one who builds.
    Ssh,
    /// A word that is no type, or a variable hides it.
    Unknown,
}

impl<'m> Step<'m> {
    /// The mounts of a `RUN`, in order.
    pub fn mounts(self) -> Vec<Mount<'m>> {
        if self.keyword() != Keyword::Run || self.instruction().flags.is_empty() {
            return Vec::new();
        }
        self.instruction().flags_named("mount").map(|flag| self.mount(flag)).collect()
    }

    fn mount(self, flag: &'m Flag) -> Mount<'m> {
        let mut mount = Mount {
            flag,
            kind: MountKind::Bind,
            from: None,
            source: None,
            target: None,
            id: None,
            env: None,
            sharing: None,
            mode: None,
            uid: None,
            gid: None,
            required: false,
        };
        for field in fields(flag.value.as_deref().unwrap_or_default()) {
            let Some((key, written)) = field.split_once('=') else {
                mount.required |= field.eq_ignore_ascii_case("required");
                continue;
            };
            let value = Some(self.expand(written).unwrap_or_else(|_| Value::unreadable(written)));
            match key.to_ascii_lowercase().as_str() {
                "type" => mount.kind = value.as_ref().and_then(Value::known).map_or(MountKind::Unknown, kind_of),
                "from" => mount.from = Some(self.model().mount_source(written)),
                "source" | "src" => mount.source = value,
                "target" | "dst" | "destination" => mount.target = value,
                "id" => mount.id = value,
                "env" => mount.env = value,
                "sharing" => mount.sharing = value,
                "mode" => mount.mode = value,
                "uid" => mount.uid = value,
                "gid" => mount.gid = value,
                "required" => mount.required = matches!(written, "1" | "t" | "T" | "true" | "TRUE" | "True"),
                _ => {}
            }
        }
        mount
    }
}

fn kind_of(word: &str) -> MountKind {
    match word.to_ascii_lowercase().as_str() {
        "bind" => MountKind::Bind,
        "cache" => MountKind::Cache,
        "tmpfs" => MountKind::Tmpfs,
        "secret" => MountKind::Secret,
        "ssh" => MountKind::Ssh,
        _ => MountKind::Unknown,
    }
}

/// Fields between commas; one in double quotes may hold commas.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let quoted = text.strip_prefix('"').and_then(|text| text.split_once('"'));
        let (field, behind) = match quoted {
            Some((field, behind)) => (field, behind.split_once(',').map(|(_, behind)| behind)),
            None => text.split_once(',').map_or((text, None), |(field, behind)| (field, Some(behind))),
        };
        rest = behind;
        Some(field)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_separated_by_commas_outside_of_quotes() {
        let read = |text| fields(text).collect::<Vec<_>>();
        assert_eq!(read("type=bind,source=a"), ["type=bind", "source=a"]);
        assert_eq!(read("type=cache,\"target=/a,b\",rw"), ["type=cache", "target=/a,b", "rw"]);
        assert_eq!(read(""), [""]);
    }
}
