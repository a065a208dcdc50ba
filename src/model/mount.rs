//! `RUN --mount`: what a step sees of other stages, images, caches and secrets while it runs.

use super::{dockerfile::CopySource, expand::Value, path, step::Step};
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

/// Why a build refuses a `--mount` of a step, if it refuses one; words that cannot be expanded are no matter here.
pub(super) fn refusal(step: Step<'_>) -> Option<String> {
    let flags = (step.keyword() == Keyword::Run).then(|| step.instruction().flags_named("mount"));
    flags.into_iter().flatten().find_map(|flag| refused(step, flag.value.as_deref()?))
}

fn refused(step: Step<'_>, text: &str) -> Option<String> {
    let mut kind = MountKind::Bind;
    let mut keys = Vec::new();
    for field in fields(text) {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key, Some(step.expand(value).ok()?.text.into_owned())),
            None => (field, None),
        };
        let key = key.to_ascii_lowercase();
        if key == "type" {
            kind = kind_of(value.as_deref().unwrap_or_default());
        }
        if !is_accepted(kind, &key, value.as_deref()) {
            return Some(field.to_owned());
        }
        keys.push((key, value.unwrap_or_default()));
    }
    let given = |names: &[&str]| keys.iter().find(|(key, value)| names.contains(&key.as_str()) && !value.is_empty());
    let is_owned = matches!(kind, MountKind::Secret | MountKind::Ssh | MountKind::Cache);
    let (source, target) = (given(&["source", "src"]), given(&["target", "dst", "destination"]));
    let is_refused = match kind {
        MountKind::Unknown => true,
        MountKind::Secret => {
            let id = given(&["id"]);
            given(&["from"]).is_some()
                || (source.is_some() && id.is_some())
                || (source.is_none() && id.is_none() && target.is_none() && given(&["env"]).is_none())
        }
        MountKind::Bind | MountKind::Cache | MountKind::Tmpfs => {
            let target = target.map_or(String::new(), |(_, path)| path.clone());
            path::join(&step.workdir().path.text, &target) == "/"
        }
        MountKind::Ssh => false,
    };
    let is_refused = is_refused
        || (!is_owned && given(&["mode", "uid", "gid"]).is_some())
        || (kind != MountKind::Cache && given(&["sharing"]).is_some());
    is_refused.then(|| text.to_owned())
}

/// Whether a mount of this type takes a key with this value, or without one.
fn is_accepted(kind: MountKind, key: &str, value: Option<&str>) -> bool {
    let of_owner = matches!(kind, MountKind::Secret | MountKind::Ssh);
    let Some(value) = value else {
        return matches!(key, "readonly" | "ro" | "readwrite" | "rw") || (key == "required" && of_owner);
    };
    let is_bool =
        || matches!(value, "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False");
    match key {
        "type" => kind != MountKind::Unknown,
        "from" | "source" | "src" | "target" | "dst" | "destination" | "id" => true,
        "env" => kind == MountKind::Secret,
        "readonly" | "ro" | "readwrite" | "rw" => is_bool(),
        "required" => of_owner && is_bool(),
        "size" => kind == MountKind::Tmpfs,
        "sharing" => matches!(value.to_ascii_lowercase().as_str(), "shared" | "private" | "locked"),
        "mode" => u32::from_str_radix(value, 8).is_ok(),
        "uid" | "gid" => value.parse::<u32>().is_ok(),
        _ => false,
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
