//! Which findings are new: those that a baseline does not have, on lines that changed.

use crate::{
    policy::Place,
    report::{Ranked, Why},
    rule::Finding,
    source::SourceFile,
    text::Fingerprint,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The name that `ironhull init` gives a baseline.
pub const FILE_NAME: &str = "ironhull.baseline.json";

/// What a run leaves out, apart from what comments silence. Empty, it leaves out nothing.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Findings that were there before, and where their paths start.
    pub baseline: Option<(Baseline, Place)>,
    /// Lines that changed, and where their paths start.
    pub changes: Option<(ChangedLines, Place)>,
}

/// Which findings of one file are left out, decided once on the file as it was read.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    by_fingerprint: BTreeMap<Fingerprint, Option<Why>>,
    /// By rule, message and text: for findings of which a repair changed the instruction.
    by_text: BTreeMap<(&'static str, String, Vec<u8>), Why>,
}

impl Scope {
    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.baseline.is_none() && self.changes.is_none()
    }

    /// Decides about `findings` in `file`.
    pub fn decide(&self, findings: &[Finding], file: &SourceFile) -> Decisions {
        let mut decisions = Decisions::default();
        if self.is_everything() {
            return decisions;
        }
        for finding in findings {
            let why = self.why_left_out(finding, file);
            if let Some(why) = &why {
                decisions.by_text.insert(said(finding, file), why.clone());
            }
            decisions.by_fingerprint.insert(finding.fingerprint, why);
        }
        decisions
    }

    fn why_left_out(&self, finding: &Finding, file: &SourceFile) -> Option<Why> {
        if let Some((baseline, place)) = &self.baseline
            && baseline.has(finding, &seen(place, &file.path))
        {
            return Some(Why::Baseline);
        }
        let (changes, place) = self.changes.as_ref()?;
        let lines = (file.locate(finding.primary.span.start).line, file.locate(finding.primary.span.end).line);
        (!changes.touch(&seen(place, &file.path), lines)).then_some(Why::Unchanged)
    }
}

impl Decisions {
    /// Why `finding` is left out, if it is; `file` may have been repaired since.
    pub fn why_left_out(&self, finding: &Finding, file: &SourceFile) -> Option<Why> {
        if self.by_text.is_empty() {
            return None;
        }
        let decided = self.by_fingerprint.get(&finding.fingerprint).cloned();
        decided.unwrap_or_else(|| self.by_text.get(&said(finding, file)).cloned())
    }
}

fn said(finding: &Finding, file: &SourceFile) -> (&'static str, String, Vec<u8>) {
    (finding.rule, finding.message.clone(), file.bytes(finding.primary.span).to_vec())
}

/// `path` as seen from the root of `place`, or as it is where it does not lie below.
fn seen(place: &Place, path: &str) -> String {
    place.seen_from_root(path).unwrap_or_else(|| path.to_owned())
}

/// Findings that were there at some time.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    known: BTreeSet<(String, String, Fingerprint)>,
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    findings: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    path: String,
    rule: String,
    fingerprint: String,
}

impl Baseline {
    /// The baseline of `findings`, each with the path of its file; paths start at the root of `place`.
    pub fn of<'f>(findings: impl IntoIterator<Item = (&'f str, &'f Ranked)>, place: &Place) -> Self {
        let entry = |(path, ranked): (&str, &Ranked)| {
            (seen(place, path), ranked.finding.rule.to_owned(), ranked.finding.fingerprint)
        };
        Self { known: findings.into_iter().map(entry).collect() }
    }

    /// Reads what [`Baseline::text`] writes.
    ///
    /// # Errors
    /// What is wrong with `text`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| format!("it is no baseline: {error}"))?;
        if file.version != 1 {
            return Err(format!("it is a baseline of version {}, and this program reads version 1", file.version));
        }
        let known = file.findings.into_iter().map(|entry| {
            let fingerprint = Fingerprint::parse(&entry.fingerprint)
                .ok_or_else(|| format!("`{}` is no fingerprint", entry.fingerprint.escape_debug()))?;
            Ok((entry.path, entry.rule, fingerprint))
        });
        Ok(Self { known: known.collect::<Result<_, String>>()? })
    }

    /// The text of its file: one finding a line, sorted, so that a change of it is easy to read.
    pub fn text(&self) -> String {
        let lines = self.known.iter().map(|(path, rule, fingerprint)| {
            let entry = Entry { path: path.clone(), rule: rule.clone(), fingerprint: fingerprint.to_string() };
            format!("    {}", serde_json::to_string(&entry).expect("strings can be written as JSON"))
        });
        let lines = lines.collect::<Vec<_>>().join(",\n");
        let newline = if lines.is_empty() { "" } else { "\n" };
        format!("{{\n  \"version\": 1,\n  \"findings\": [{newline}{lines}{newline}  ]\n}}\n")
    }

    /// How many findings it has.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn has(&self, finding: &Finding, path: &str) -> bool {
        self.known.contains(&(path.to_owned(), finding.rule.to_owned(), finding.fingerprint))
    }
}

/// Lines that are new, by file.
#[derive(Clone, Debug, Default)]
pub struct ChangedLines {
    /// First and last line of each piece, ascending.
    pieces: BTreeMap<String, Vec<(u32, u32)>>,
}

impl ChangedLines {
    /// Reads a patch without context lines, as `git diff --unified=0` writes it, and names of new files, each of which
    /// ends with a zero byte.
    pub fn read(patch: &[u8], new_files: &[u8]) -> Self {
        let mut pieces: BTreeMap<String, Vec<(u32, u32)>> = BTreeMap::new();
        let mut name = None;
        let mut hunk_lines = 0_u64;
        for line in patch.split(|&byte| byte == b'\n') {
            // Lines of a hunk may look like headers.
            if hunk_lines > 0 && matches!(line.first(), Some(b'+' | b'-')) {
                hunk_lines -= 1;
                continue;
            }
            if let Some(header) = line.strip_prefix(b"+++ ") {
                name = file_name(header);
            } else if let Some((removed, first, added)) = line.strip_prefix(b"@@ -").and_then(hunk) {
                hunk_lines = u64::from(removed) + u64::from(added);
                if let (Some(name), Some(last)) = (&name, (first + added).checked_sub(1))
                    && added > 0
                {
                    pieces.entry(name.clone()).or_default().push((first, last));
                }
            }
        }
        for new in new_files.split(|&byte| byte == 0).filter(|new| !new.is_empty()) {
            pieces.insert(String::from_utf8_lossy(new).into_owned(), vec![(1, u32::MAX)]);
        }
        Self { pieces }
    }

    /// Whether one of `lines`, first and last, is new in the file at `path`.
    fn touch(&self, path: &str, (first, last): (u32, u32)) -> bool {
        let Some(pieces) = self.pieces.get(path) else { return false };
        let at = pieces.partition_point(|piece| piece.1 < first);
        pieces.get(at).is_some_and(|piece| piece.0 <= last)
    }
}

/// The path behind `+++ `, if it is one: `b/path`, in quotes where it holds what could be misread.
fn file_name(header: &[u8]) -> Option<String> {
    let header = header.strip_suffix(b"\t").unwrap_or(header);
    let bytes = match header.strip_prefix(b"\"") {
        Some(quoted) => unquoted(quoted.strip_suffix(b"\"")?),
        None => header.to_vec(),
    };
    Some(String::from_utf8_lossy(bytes.strip_prefix(b"b/")?).into_owned())
}

/// A name without the escapes that git writes it with.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        (rest, plain) = match (first, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                (tail, pushed(plain, ((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0')))
            }
            (b'\\', [letter, tail @ ..]) => (tail, pushed(plain, control(*letter))),
            (byte, tail) => (tail, pushed(plain, *byte)),
        };
    }
    plain
}

fn pushed(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

fn control(letter: u8) -> u8 {
    match letter {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        other => other,
    }
}

/// Of `12,3 +14,2 @@ …`: how many lines go, the first new line, how many come.
fn hunk(header: &[u8]) -> Option<(u32, u32, u32)> {
    let mut words = std::str::from_utf8(header.split(|&byte| byte == b'@').next()?).ok()?.split_ascii_whitespace();
    let pair = |word: &str| -> Option<(u32, u32)> {
        let (start, count) = word.split_once(',').unwrap_or((word, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let (_, removed) = pair(words.next()?)?;
    let (first, added) = pair(words.next()?.strip_prefix('+')?)?;
    first.checked_add(added)?;
    Some((removed, first, added))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_says_which_lines_are_new() {
        let patch = b"diff --git a/Dockerfile b/Dockerfile\n--- a/Dockerfile\n+++ b/Dockerfile\n@@ -3,2 +3 @@ FROM x\n\
            --- a/trap\n-b\n+++ b/trap\n@@ -9 +8,2 @@\n-x\n+y\n+z\n@@ -20,3 +20,0 @@\n-a\n-b\n-c\n\
            --- \"a/t\\303\\244b\\t\"\n+++ \"b/t\\303\\244b\\t\"\n@@ -0,0 +1,4 @@\n+1\n+2\n+3\n+4\n\
            --- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n";
        let lines = ChangedLines::read(patch, b"new one\0other\0");
        let changed: Vec<u32> = (1..30).filter(|&line| lines.touch("Dockerfile", (line, line))).collect();
        assert_eq!(changed, [3, 8, 9]);
        assert!(lines.touch("Dockerfile", (4, 8)) && !lines.touch("Dockerfile", (4, 7)));
        assert!(lines.touch("t\u{e4}b\t", (4, 4)) && !lines.touch("t\u{e4}b\t", (5, 5)));
        assert!(lines.touch("new one", (1000, 1000)) && !lines.touch("trap", (1, 1)) && !lines.touch("gone", (1, 1)));
    }

    #[test]
    fn a_baseline_is_read_as_it_is_written() {
        let known = [("a\"b\n", "sudo", "x"), ("a", "root-user", "y")];
        let known = known
            .map(|(path, rule, said)| (path.to_owned(), rule.to_owned(), Fingerprint::default().with(said.as_bytes())));
        let baseline = Baseline { known: known.into() };
        assert_eq!(Baseline::parse(&baseline.text()).unwrap().known, baseline.known);
        assert_eq!(Baseline::parse(&Baseline::default().text()).unwrap().len(), 0);
        for (text, told) in [
            ("[]", "no baseline"),
            ("{\"version\": 2, \"findings\": []}", "version 2"),
            ("{\"version\": 1, \"findings\": [{\"path\": \"a\", \"rule\": \"b\", \"fingerprint\": \"c\"}]}", "`c`"),
        ] {
            assert!(Baseline::parse(text).unwrap_err().contains(told), "{text}");
        }
    }
}
