//! Which programs a script may run, in so few bits that whoever looks for others passes it over at once.

/// A set of names of programs. It never misses a name that was put in; it may seem to hold one that was not, so whoever
/// asks still looks at the commands.
///
/// The version at the end of a name is no part of it: `pip` stands for `pip3` and `pip3.12` too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Programs([u64; 4]);

impl Programs {
    /// The set of these names.
    pub const fn of(names: &[&str]) -> Self {
        let mut set = Self([0; 4]);
        let mut at = 0;
        while at < names.len() {
            set = set.with(names[at]);
            at += 1;
        }
        set
    }

    /// The set with one name more.
    #[must_use]
    pub const fn with(mut self, name: &str) -> Self {
        let bit = hash(name.as_bytes());
        self.0[(bit >> 6) as usize & 3] |= 1 << (bit & 63);
        self
    }

    /// The names of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        let (one, two) = (self.0, other.0);
        Self([one[0] | two[0], one[1] | two[1], one[2] | two[2], one[3] | two[3]])
    }

    /// Whether the sets may have a name in common.
    pub const fn meets(self, other: Self) -> bool {
        let (one, two) = (self.0, other.0);
        (one[0] & two[0]) | (one[1] & two[1]) | (one[2] & two[2]) | (one[3] & two[3]) != 0
    }
}

/// FNV-1a of the name without the version at its end, its upper half folded in.
const fn hash(name: &[u8]) -> u32 {
    let mut end = name.len();
    while end > 0 && matches!(name[end - 1], b'0'..=b'9' | b'.') {
        end -= 1;
    }
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < end {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_that_was_put_in_is_missed() {
        let names = ["apt-get", "curl", "chmod", "python3.12", "7z", "."];
        let set = Programs::of(&names);
        assert!(names.iter().all(|name| set.meets(Programs::of(&[name]))));
        assert!(set.meets(Programs::of(&["python"])), "a version is no part of a name");
        assert!(!set.meets(Programs::default()));
        assert_eq!(Programs::of(&names[..2]).and(Programs::of(&names[2..])), set);
    }

    #[test]
    fn names_of_everyday_programs_are_told_apart() {
        let names =
            ["apt-get", "apk", "cd", "chmod", "chown", "cp", "curl", "echo", "git", "make", "mkdir", "rm", "tar"];
        let meets =
            |one: &&str| names.iter().filter(|other| Programs::of(&[one]).meets(Programs::of(&[other]))).count();
        assert!(names.iter().map(meets).sum::<usize>() <= names.len() + 2);
    }
}
