//! A container's own network, entered from outside: what runs in it needs neither a shell nor a client, and no port is
//! opened on this machine.
//!
//! Only Linux has this, only root may do it, and only where the engine's processes are this machine's.

#![allow(clippy::disallowed_methods, reason = "a container's network is a file under /proc")]

use std::{collections::BTreeSet, fs};

/// The network of the process `0` of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Namespace(u32);

impl Namespace {
    /// Whether this process may enter other networks at all.
    #[cfg(target_os = "linux")]
    pub(super) fn may_be_entered() -> bool {
        rustix::process::geteuid().is_root()
    }

    /// Whether this process may enter other networks at all.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn may_be_entered() -> bool {
        false
    }

    /// The network of `process`, if that is a process of this machine in another network than ours, and the host name
    /// in it is `host`: a process of that number on another machine would be somebody else.
    pub(super) fn of(process: u32, host: &str) -> Option<Self> {
        let other = fs::read_link(format!("/proc/{process}/ns/net")).ok()?;
        let own = fs::read_link("/proc/self/ns/net").ok()?;
        let name = fs::read_to_string(format!("/proc/{process}/root/etc/hostname")).ok()?;
        (own != other && name.trim() == host).then_some(Self(process))
    }

    /// What `work` says when it is done in this network.
    #[cfg(target_os = "linux")]
    pub(super) fn inside<T: Send>(self, work: impl FnOnce() -> T + Send) -> Option<T> {
        use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
        use std::{fs::File, os::fd::AsFd, thread};
        let link = File::open(format!("/proc/{}/ns/net", self.0)).ok()?;
        // Only the thread moves, and ends there.
        let enter_and_work = || {
            move_into_link_name_space(link.as_fd(), Some(LinkNameSpaceType::Network)).ok()?;
            Some(work())
        };
        thread::scope(|scope| scope.spawn(enter_and_work).join().ok().flatten())
    }

    /// What `work` says when it is done in this network.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn inside<T: Send>(self, _work: impl FnOnce() -> T + Send) -> Option<T> {
        None
    }

    /// The TCP ports that somebody listens on, apart from those that can only be reached from within.
    pub(super) fn listening(self) -> BTreeSet<u16> {
        let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{}/net/{table}", self.0)));
        tables.iter().flatten().flat_map(|table| listeners(table)).collect()
    }

    /// The number of the user that the container's first process has.
    pub(super) fn user_id(self) -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

/// Ports of sockets that listen, from the kernel's table.
fn listeners(table: &str) -> Vec<u16> {
    let listener = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (address, port) = fields.next()?.split_once(':')?;
        let is_listening = fields.nth(1)? == "0A";
        // Bytes of an address stand in the order of the machine.
        let is_loopback = address == "0100007F" || address == "00000000000000000000000001000000";
        let port = u16::from_str_radix(port, 16).ok()?;
        (is_listening && !is_loopback).then_some(port)
    };
    table.lines().skip(1).filter_map(listener).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_read_from_the_kernels_table() {
        let table = "  sl  local_address rem_address   st\n\
                     0: 00000000:1F90 00000000:0000 0A 00000000:00000000\n\
                     1: 0100007F:0050 00000000:0000 0A 00000000:00000000\n\
                     2: 00000000:1F91 0200A8C0:D431 01 00000000:00000000\n";
        assert_eq!(listeners(table), [8080]);
        assert_eq!(listeners("header\nrubbish\n"), Vec::<u16>::new());
    }
}
