//! `.dockerignore`: what of the build context a build never sees.
//!
//! Facts: Docker's documentation of build contexts, ".dockerignore files": one pattern a line, `#` comments, `!` takes a
//! file back, the last line that matches decides, `**` stands for any number of directories, and what lies in a matched
//! directory is matched too.

use super::Subject;
use crate::context;

/// The patterns of a `.dockerignore`, in their order.
#[derive(Clone, Debug, Default)]
pub struct Ignored {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    takes_back: bool,
    parts: Vec<String>,
}

/// So many lines are read; nobody writes more by hand.
const MOST_LINES: usize = 400;

impl Ignored {
    /// The one that a build of `subject` reads, whose context is `root`: the Dockerfile's own goes before the context's.
    pub fn of(subject: &Subject<'_>, root: &str) -> Self {
        let own = subject.cx.context.at(&format!("{}.dockerignore", subject.cx.file.path));
        let found = own.or_else(|| subject.cx.context.at(&context::join(root, ".dockerignore")));
        found.map_or_else(Self::default, |file| Self::parse(&String::from_utf8_lossy(&file.text)))
    }

    fn parse(text: &str) -> Self {
        let lines =
            text.lines().take(MOST_LINES).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let lines = lines.filter_map(|line| {
            let (takes_back, pattern) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let parts: Vec<String> =
                pattern.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
            (!parts.is_empty()).then_some(Line { takes_back, parts })
        });
        Self { lines: lines.collect() }
    }

    /// Whether a build does not see `path`, which is relative to the context.
    pub fn holds(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        self.lines.iter().rfind(|line| line.matches(&parts)).is_some_and(|line| !line.takes_back)
    }

    /// Whether nothing below the directory `path` is seen: it is ignored, and no later line takes anything back.
    pub fn holds_all_of(&self, path: &str) -> bool {
        self.holds(path) && !self.lines.iter().any(|line| line.takes_back)
    }
}

impl Line {
    /// Whether the path or a directory above it matches.
    fn matches(&self, path: &[&str]) -> bool {
        // `reached[n]`: the parts so far match the first `n` parts of the path.
        let mut reached = vec![false; path.len() + 1];
        reached[0] = true;
        for part in &self.parts {
            let mut next = vec![false; path.len() + 1];
            if part == "**" {
                let first = reached.iter().position(|here| *here).unwrap_or(reached.len());
                next.iter_mut().skip(first).for_each(|here| *here = true);
            } else {
                for (at, name) in path.iter().enumerate() {
                    next[at + 1] = reached[at] && is_match(part, name);
                }
            }
            reached = next;
        }
        reached.iter().skip(1).any(|here| *here)
    }
}

/// Whether `name` matches a pattern of `*`, `?` and `[…]`; a class counts as any character.
pub fn is_match(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        let (matches, behind) = match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
                continue;
            }
            Some('?') => (true, at + 1),
            Some('[') => (true, pattern[at..].iter().position(|char| *char == ']').map_or(at + 1, |end| at + end + 1)),
            Some(char) => (*char == name[from], at + 1),
            None => (false, at),
        };
        if matches {
            at = behind;
            from += 1;
            continue;
        }
        let Some((back, eaten)) = star else { return false };
        star = Some((back, eaten + 1));
        at = back + 1;
        from = eaten + 1;
    }
    pattern[at..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_decides() {
        let ignored = Ignored::parse("# a\ntarget\n*.md\n!README.md\n**/node_modules\n/build/*.o\n");
        for path in ["target", "target/release/x", "x.md", "web/node_modules/y", "node_modules", "build/x.o"] {
            assert!(ignored.holds(path), "{path}");
        }
        for path in ["src/target", "README.md", "docs/x.md", "build/x.c", "x"] {
            assert!(!ignored.holds(path), "{path}");
        }
        assert!(Ignored::parse("*\n!src\n").holds("x") && !Ignored::parse("*\n!src\n").holds("src/x"));
    }

    #[test]
    fn patterns_of_names() {
        for (pattern, name) in [("*", ""), ("a*c", "abbc"), ("?b", "ab"), ("*.go", "x.go"), ("[ab]x", "bx")] {
            assert!(is_match(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "b"), ("a*c", "abcd"), ("", "a"), ("a?", "a")] {
            assert!(!is_match(pattern, name), "{pattern} {name}");
        }
    }
}
