//! What a container of an image needs where engines and clusters confine it: capabilities, directories that it may
//! write to, credentials as files.

use super::image::ImageFacts;
use serde::Deserialize;

/// What the program of an image needs of the capabilities that engines give, once all were taken from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Where root starts it; none where that is not known.
    pub root: Option<Vec<String>>,
    /// Where another user starts it; none where that is not known.
    pub user: Option<Vec<String>>,
}

/// Who starts the program of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// Root.
    Root,
    /// The user of this number, or one whose number is not known.
    User(Option<u32>),
}

/// Endings of variables that name a file; the longest first.
const ENDINGS: [&str; 2] = ["__FILE", "_FILE"];

impl ImageFacts {
    /// Who starts its program where nobody says anything else.
    pub fn start(&self) -> Option<Start> {
        let user = self.user.known()?;
        Some(if user.is_root() { Start::Root } else { Start::User(user.uid) })
    }

    /// What its program needs of the capabilities that engines give, if that is known for one that starts it so.
    pub fn needed_capabilities(&self, start: Start) -> Option<&[String]> {
        let known = self.capabilities.known()?;
        match start {
            Start::Root => known.root.as_deref(),
            Start::User(_) => known.user.as_deref(),
        }
    }

    /// Whether a container that is given `command` runs the program of the image; only its first word decides, and
    /// words that begin with a dash go to that program.
    pub fn runs_own_program(&self, command: &str) -> bool {
        command.starts_with('-') || self.command.known().and_then(|own| own.first()).is_some_and(|own| own == command)
    }

    /// The variable that names a file which holds what `name` would, if its program reads one.
    pub fn file_variable(&self, name: &str) -> Option<String> {
        self.secret_files.known()?.iter().find_map(|pattern| {
            let ending = ENDINGS.into_iter().find(|ending| pattern.ends_with(ending))?;
            let plain = pattern.strip_suffix(ending)?;
            let fits = match plain.split_once('*') {
                Some((head, tail)) => {
                    name.len() > head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail)
                }
                None => name == plain,
            };
            // What names a file already fits a pattern such as `GF_*` too.
            (fits && !name.ends_with("_FILE")).then(|| format!("{name}{ending}"))
        })
    }
}

impl Capabilities {
    /// As they are written, if they are capabilities as the kernel names them, sorted.
    pub(super) fn checked(self) -> Result<Self, String> {
        let lists = [&self.root, &self.user];
        if lists.iter().all(|list| list.is_none()) {
            return Err("`capabilities` says neither what `root` nor what another `user` needs".to_owned());
        }
        for list in lists.into_iter().flatten() {
            let is_name = |name: &String| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            if let Some(name) = list.iter().find(|name| !is_name(name) || name.starts_with("CAP_") || *name == "ALL") {
                return Err(format!("`{name}` is not a capability: write it as `NET_BIND_SERVICE`"));
            }
            if !list.is_sorted_by(|one, other| one < other) {
                return Err(format!("the capabilities {list:?} are not sorted"));
            }
        }
        Ok(self)
    }
}

/// As they are written, if they are directories from the root, none in another.
pub(super) fn directories(list: Vec<String>) -> Result<Vec<String>, String> {
    let is_path =
        |path: &str| path.starts_with('/') && path.len() > 1 && !path.ends_with('/') && !path.contains(['$', ':']);
    if let Some(path) = list.iter().find(|path| !is_path(path)) {
        return Err(format!("`{path}` is not the path of a directory"));
    }
    let is_below = |path: &str, other: &str| path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
    match list.iter().find(|path| list.iter().any(|other| is_below(path, other))) {
        Some(path) => Err(format!("`{path}` lies in another directory of the list")),
        None => Ok(list),
    }
}

/// As they are written, if they are variables that name files.
pub(super) fn file_variables(list: Vec<String>) -> Result<Vec<String>, String> {
    let is_one = |name: &str| name.ends_with("_FILE") && name.matches('*').count() <= 1;
    match list.iter().find(|name| !is_one(name)) {
        Some(name) => Err(format!("`{name}` is not a variable that names a file")),
        None => Ok(list),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_written_in_one_form() {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert!(directories(texts(&["/run", "/tmp", "/runner"])).is_ok());
        for wrong in [&["run"][..], &["/"], &["/run/"], &["$HOME/x"], &["/run", "/run/x"]] {
            assert!(directories(texts(wrong)).is_err(), "{wrong:?}");
        }
        assert!(file_variables(texts(&["A_FILE", "GF_*__FILE"])).is_ok());
        for wrong in ["A", "A_FILES", "*_*_FILE"] {
            assert!(file_variables(texts(&[wrong])).is_err(), "{wrong}");
        }
        let root = |list: &[&str]| Capabilities { root: Some(texts(list)), user: None };
        assert!(root(&["CHOWN", "SETGID"]).checked().is_ok());
        assert!(root(&[]).checked().is_ok());
        for wrong in [&["SETGID", "CHOWN"][..], &["chown"], &["CAP_CHOWN"], &["ALL"], &["CHOWN", "CHOWN"]] {
            assert!(root(wrong).checked().is_err(), "{wrong:?}");
        }
        assert!(Capabilities::default().checked().is_err());
    }
}
