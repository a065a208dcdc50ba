//! What lies in an exported file system: a tar archive is read once, front to back, and nothing is unpacked.

use std::{collections::BTreeSet, io::Read};

/// Names of programs that run whatever commands they are given.
const SHELLS: [&str; 13] =
    ["sh", "ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "rbash", "tcsh", "toybox", "zsh"];

/// Empty files that an engine puts where it mounts its own.
const PLACEHOLDERS: [&str; 5] = [".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"];

/// Names longer than this are not names of programs.
const LONGEST_NAME: u64 = 64 * 1024;

const BLOCK: usize = 512;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Regular files; further names of one file are not counted.
    pub files: u64,
    /// The bytes in them.
    pub bytes: u64,
    /// Programs that are shells, sorted; links to one are not counted.
    pub shells: BTreeSet<String>,
    /// Programs that run as their owner whoever starts them, sorted.
    pub set_uid: BTreeSet<String>,
}

/// Counts what the archive holds; none if it is no whole archive. Always reads to the end.
pub(super) fn contents(mut archive: impl Read) -> Option<Contents> {
    let counted = walk(&mut archive);
    // An engine whose reader goes away may hang.
    let _ = std::io::copy(&mut archive, &mut std::io::sink());
    counted
}

fn walk(archive: &mut impl Read) -> Option<Contents> {
    let mut contents = Contents::default();
    let mut long_name = None;
    let mut long_size = None;
    loop {
        let mut block = [0; BLOCK];
        archive.read_exact(&mut block).ok()?;
        if block.iter().all(|byte| *byte == 0) {
            return Some(contents);
        }
        let header = Header(&block);
        let size = match header.kind() {
            b'x' | b'g' | b'L' | b'K' => header.size()?,
            _ => long_size.take().or_else(|| header.size())?,
        };
        match header.kind() {
            b'L' => long_name = Some(text(&data(archive, size)?)),
            b'x' => {
                let records = data(archive, size)?;
                long_name = record(&records, "path").or(long_name);
                long_size = record(&records, "size").and_then(|size| size.parse().ok());
            }
            b'0' | 0 => {
                contents.count(&long_name.take().unwrap_or_else(|| header.name()), size, header.mode()?);
                skip(archive, size)?;
            }
            // A link has a size of the file in some archives, and no data.
            b'1' | b'2' => long_name = None,
            _ => {
                if header.kind() != b'g' && header.kind() != b'K' {
                    long_name = None;
                }
                skip(archive, size)?;
            }
        }
    }
}

impl Contents {
    fn count(&mut self, path: &str, size: u64, mode: u64) {
        let path = path.trim_start_matches("./");
        if size == 0 && PLACEHOLDERS.contains(&path) {
            return;
        }
        self.files += 1;
        self.bytes += size;
        let name = path.rsplit('/').next().unwrap_or(path);
        if mode & 0o111 != 0 && SHELLS.contains(&name) {
            self.shells.insert(format!("/{path}"));
        }
        if mode & 0o6000 != 0 && mode & 0o111 != 0 {
            self.set_uid.insert(format!("/{path}"));
        }
    }
}

/// The block before each member.
struct Header<'b>(&'b [u8; BLOCK]);

impl Header<'_> {
    fn kind(&self) -> u8 {
        self.0[156]
    }

    fn name(&self) -> String {
        let name = text(&self.0[..100]);
        let is_ustar = &self.0[257..262] == b"ustar" && self.0[345] != 0;
        if is_ustar { format!("{}/{name}", text(&self.0[345..500])) } else { name }
    }

    fn mode(&self) -> Option<u64> {
        number(&self.0[100..108])
    }

    fn size(&self) -> Option<u64> {
        number(&self.0[124..136])
    }
}

/// Octal digits, or bytes of a large number behind a set bit.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        return field[1..].iter().try_fold(0_u64, |number, byte| number.checked_mul(256)?.checked_add((*byte).into()));
    }
    let digits = text(field);
    let digits = digits.trim();
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// The bytes before the first zero.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// The value of `name` in records like `20 path=some/name\n`.
fn record(records: &[u8], name: &str) -> Option<String> {
    let records = String::from_utf8_lossy(records);
    records.lines().find_map(|line| {
        let (key, value) = line.split_once(' ')?.1.split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}

fn data(archive: &mut impl Read, size: u64) -> Option<Vec<u8>> {
    if size > LONGEST_NAME {
        return None;
    }
    let mut bytes = vec![0; size.next_multiple_of(BLOCK as u64) as usize];
    archive.read_exact(&mut bytes).ok()?;
    bytes.truncate(size as usize);
    Some(bytes)
}

fn skip(archive: &mut impl Read, size: u64) -> Option<()> {
    let padded = size.checked_next_multiple_of(BLOCK as u64)?;
    let skipped = std::io::copy(&mut archive.take(padded), &mut std::io::sink()).ok()?;
    (skipped == padded).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, mode: u32, kind: u8, data: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[100..107].copy_from_slice(format!("{mode:07o}").as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        block[156] = kind;
        block.extend(data);
        block.resize(block.len().next_multiple_of(BLOCK), 0);
        block
    }

    fn archive(members: &[Vec<u8>]) -> Vec<u8> {
        [members.concat(), vec![0; 2 * BLOCK]].concat()
    }

    #[test]
    fn files_are_counted_and_links_to_them_are_not() {
        let text = archive(&[
            member("bin/", 0o755, b'5', b""),
            member("bin/busybox", 0o755, b'0', b"ELF"),
            member("bin/sh", 0o777, b'2', b""),
            member("bin/su", 0o4755, b'0', &[7; 600]),
            member("usr/share/doc/bash", 0o644, b'0', b""),
            member(".dockerenv", 0o755, b'0', b""),
        ]);
        let contents = contents(&*text).unwrap();
        assert_eq!((contents.files, contents.bytes), (3, 603));
        assert_eq!(contents.shells, ["/bin/busybox".to_owned()].into());
        assert_eq!(contents.set_uid, ["/bin/su".to_owned()].into());
    }

    #[test]
    fn a_long_name_is_read_from_the_record_before() {
        let text = archive(&[
            member("x", 0o644, b'x', b"23 path=deep/down/bash\n"),
            member("cut", 0o755, b'0', b""),
            member("x", 0o644, b'L', b"other/zsh\0"),
            member("cut", 0o755, b'0', b""),
            member("plain", 0o755, b'0', b""),
        ]);
        let shells = contents(&*text).unwrap().shells;
        assert_eq!(shells, ["/deep/down/bash".to_owned(), "/other/zsh".to_owned()].into());
    }

    #[test]
    fn half_an_archive_is_no_archive() {
        let whole = archive(&[member("a", 0o644, b'0', &[1; 2000])]);
        assert_eq!(contents(&whole[..1000]), None);
        assert_eq!(contents(&b"not an archive"[..]), None);
    }
}
