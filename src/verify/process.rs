//! Child processes: each leads a group of its own, has a limit of time, and ends before the run does.

#![allow(clippy::disallowed_methods, reason = "this is where `verify` starts processes and limits their time")]

use super::interrupt::Interrupt;
#[cfg(unix)]
use std::collections::HashMap;
use std::{
    collections::VecDeque,
    io::{self, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// Of what a child says so many bytes are kept, the last ones.
const MOST_OUTPUT: usize = 1 << 20;

/// Between two looks at a child.
const LOOK: Duration = Duration::from_millis(10);

/// After a polite request to end, a child has so long.
const GRACE: Duration = Duration::from_secs(5);

/// What inherits an output may hold it open; after the child has ended it is read so long.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What a child said and how it ended.
#[derive(Debug)]
pub(super) struct Ended<T = Vec<u8>> {
    /// Its exit code; none if a signal ended it.
    pub(super) code: Option<i32>,
    /// What was made of its standard output.
    pub(super) out: T,
    /// The end of its standard error.
    pub(super) err: Vec<u8>,
}

impl<T> Ended<T> {
    /// Whether it says that all went well.
    pub(super) fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard error as text.
    pub(super) fn complaint(&self) -> String {
        plain(&self.err)
    }
}

impl Ended {
    /// Standard output as text.
    pub(super) fn text(&self) -> String {
        plain(&self.out)
    }
}

/// Output as text, without colours.
fn plain(output: &[u8]) -> String {
    anstream::adapter::strip_str(&String::from_utf8_lossy(output)).to_string().trim().to_owned()
}

/// Why a child did not end by itself.
#[derive(Debug)]
pub(super) enum Unfinished {
    /// It could not be started.
    NotStarted(io::Error),
    /// It took longer than it may.
    TimedOut,
    /// Somebody wants the run to end.
    Interrupted,
}

/// Runs `command` to its end, or ends it with its group.
pub(super) fn run(command: Command, limit: Duration, interrupt: Option<&Interrupt>) -> Result<Ended, Unfinished> {
    run_reading(command, limit, interrupt, last_bytes)
}

/// The same, with a reader of standard output, which must read to the end.
pub(super) fn run_reading<T: Send + 'static>(
    mut command: Command,
    limit: Duration,
    interrupt: Option<&Interrupt>,
    read: impl FnOnce(Box<dyn Read + Send>) -> T + Send + 'static,
) -> Result<Ended<T>, Unfinished> {
    lead_group(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Unfinished::NotStarted)?;
    let out = child.stdout.take().expect("standard output is a pipe");
    let err = child.stderr.take().expect("standard error is a pipe");
    let out = in_thread(move || read(Box::new(out)));
    let err = in_thread(move || last_bytes(Box::new(err)));
    let end = Instant::now() + limit;
    let code = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code(),
            Ok(None) => {}
            Err(error) => {
                end_group(&mut child);
                return Err(Unfinished::NotStarted(error));
            }
        }
        let reason = if interrupt.is_some_and(Interrupt::is_asked) {
            Unfinished::Interrupted
        } else if Instant::now() > end {
            Unfinished::TimedOut
        } else {
            thread::sleep(LOOK);
            continue;
        };
        end_group(&mut child);
        return Err(reason);
    };
    let out = out.recv_timeout(LAST_WORDS.max(end.saturating_duration_since(Instant::now())));
    let err = err.recv_timeout(LAST_WORDS).unwrap_or_default();
    match out {
        Ok(out) => Ok(Ended { code, out, err }),
        Err(_) => Err(Unfinished::TimedOut),
    }
}

fn in_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    // Whoever waited may have given up; then nobody wants the result.
    thread::spawn(move || drop(sender.send(work())));
    receiver
}

fn last_bytes(mut from: Box<dyn Read + Send>) -> Vec<u8> {
    let mut kept = VecDeque::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => kept.extend(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
        let surplus = kept.len().saturating_sub(MOST_OUTPUT);
        kept.drain(..surplus);
    }
    kept.into()
}

#[cfg(unix)]
fn lead_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn lead_group(_command: &mut Command) {}

/// Ends the group: what it runs apart from itself first, then politely, then by force.
///
/// A build ends its step with the process of the container that it started, which leads a session of its own, and then
/// removes what it made; podman, asked to end at once, removes nothing.
#[cfg(unix)]
fn end_group(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process, kill_process_group};
    let group = Pid::from_child(child);
    // Whoever is not there any more needs no signal.
    let end_apart = || {
        let apart = apart_from_group(child_id(group));
        apart.iter().filter_map(|process| Pid::from_raw(*process)).for_each(|process| {
            let _ = kill_process(process, Signal::KILL);
        });
        !apart.is_empty()
    };
    if end_apart() {
        waits(child, GRACE, &end_apart);
    }
    let _ = kill_process_group(group, Signal::TERM);
    waits(child, GRACE, &|| false);
    end_apart();
    let _ = kill_process_group(group, Signal::KILL);
    let _ = child.wait();
}

#[cfg(unix)]
fn child_id(process: rustix::process::Pid) -> i32 {
    process.as_raw_nonzero().get()
}

/// Waits until the child has ended, not longer than `limit`, and does `meanwhile` between two looks.
#[cfg(unix)]
fn waits(child: &mut Child, limit: Duration, meanwhile: &dyn Fn() -> bool) {
    let end = Instant::now() + limit;
    while Instant::now() < end && matches!(child.try_wait(), Ok(None)) {
        meanwhile();
        thread::sleep(LOOK);
    }
}

/// The processes that descend from the leader of `group` and are not in the group; none where nobody says.
#[cfg(unix)]
fn apart_from_group(group: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<(i32, i32)>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((process, parent, its_group)) = lineage(&stat) else { continue };
        children.entry(parent).or_default().push((process, its_group));
    }
    let mut open = vec![group];
    let mut apart = Vec::new();
    while let Some(parent) = open.pop() {
        for (process, its_group) in children.remove(&parent).unwrap_or_default() {
            open.push(process);
            if its_group != group {
                apart.push(process);
            }
        }
    }
    apart
}

/// A process, its parent and its group, from the kernel's line about it. Its name may hold anything.
#[cfg(unix)]
fn lineage(stat: &str) -> Option<(i32, i32, i32)> {
    let (process, _) = stat.split_once(' ')?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(1);
    Some((process.parse().ok()?, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(not(unix))]
fn end_group(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_hold_anything() {
        assert_eq!(lineage("7 (a ) 1 2 (b) S 3 4 4 0"), Some((7, 3, 4)));
        assert_eq!(lineage("rubbish"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_leaves_the_group_ends_with_it() {
        let mut command = Command::new("sh");
        command.args(["-c", "setsid sleep 300 & echo $!; wait"]);
        let (sender, receiver) = mpsc::channel();
        let read = move |from: Box<dyn Read + Send>| {
            let mut lines = io::BufRead::lines(io::BufReader::new(from));
            let _ = sender.send(lines.next().unwrap().unwrap());
        };
        let ended = run_reading(command, Duration::from_secs(2), None, read);
        assert!(matches!(ended, Err(Unfinished::TimedOut)));
        let stat = format!("/proc/{}/stat", receiver.recv().unwrap());
        let is_gone = || std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
        let end = Instant::now() + GRACE;
        while !is_gone() {
            assert!(Instant::now() < end, "it lives on");
            thread::sleep(LOOK);
        }
    }
}
