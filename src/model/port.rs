//! Ports, as `EXPOSE` names them.

use crate::knowledge;
use std::fmt;

/// A range of ports of one protocol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last; the first again for a single port.
    pub last: u16,
    /// What is spoken there.
    pub protocol: Protocol,
}

impl From<knowledge::Port> for Ports {
    fn from(port: knowledge::Port) -> Self {
        let protocol = match port.protocol {
            knowledge::Protocol::Tcp => Protocol::Tcp,
            knowledge::Protocol::Udp => Protocol::Udp,
        };
        Self { first: port.number, last: port.number, protocol }
    }
}

/// What is spoken at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP, the default.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// The name behind the slash.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        }
    }
}

/// The setting of the kernel that says from which port on everybody may listen; each container has its own.
pub(super) const START_FOR_ALL: &str = "net.ipv4.ip_unprivileged_port_start";

/// From which port on everybody may listen in a container, as far as its file says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartForAll {
    /// Nothing is said: the engine decides.
    Unsaid,
    /// Only whoever renders the file knows.
    Hidden,
    /// From this one on.
    Port(u16),
}

impl StartForAll {
    /// What the value of the setting says; none where it is hidden, or no number.
    pub(super) fn read(value: Option<&str>) -> Self {
        let port = value.and_then(|value| value.trim().parse().ok());
        port.map_or(StartForAll::Hidden, StartForAll::Port)
    }

    /// Whether `port` may be kept for root, or for who has the capability.
    pub fn may_keep(self, port: u16) -> bool {
        match self {
            StartForAll::Unsaid => true,
            StartForAll::Hidden => false,
            StartForAll::Port(start) => port < start,
        }
    }
}

/// A text that names no port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPort(pub String);

impl fmt::Display for NoPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a port", self.0)
    }
}

impl Ports {
    /// Reads `[[ip:]host:]port[-port][/protocol]`, variables replaced; what is in front of the last colon is dropped.
    ///
    /// # Errors
    /// If a build refuses it.
    pub fn parse(text: &str) -> Result<Self, NoPort> {
        Self::read(text).ok_or_else(|| NoPort(text.to_owned()))
    }

    fn read(text: &str) -> Option<Self> {
        let (outside, container) = text.rsplit_once(':').map_or((None, text), |(outside, port)| (Some(outside), port));
        let (range, protocol) = container.split_once('/').unwrap_or((container, ""));
        let protocol = match protocol.to_ascii_lowercase().as_str() {
            "" | "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            _ => return None,
        };
        let (first, last) = read_range(range)?;
        if let Some(outside) = outside {
            check_outside(outside, last - first)?;
        }
        Some(Self { first, last, protocol })
    }
}

/// `80` or `80-90`.
fn read_range(text: &str) -> Option<(u16, u16)> {
    let number = |text: &str| if text.starts_with('+') { None } else { text.parse::<u16>().ok() };
    let (first, last) = match text.split_once('-') {
        None => (number(text)?, number(text)?),
        Some((first, last)) => (number(first)?, number(last)?),
    };
    (first <= last).then_some((first, last))
}

/// The host's side, which an image ignores but a build checks.
fn check_outside(text: &str, length: u16) -> Option<()> {
    let (address, host) = text.rsplit_once(':').unwrap_or(("", text));
    let address = address.strip_prefix('[').map_or(address, |address| address.trim_end_matches(']'));
    if !address.is_empty() && address.parse::<std::net::IpAddr>().is_err() {
        return None;
    }
    if host.is_empty() {
        return Some(());
    }
    let (first, last) = read_range(host)?;
    (last - first == length || length == 0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_as_a_build_reads_them() {
        for (written, expected) in [
            ("80", Some((80, 80, "tcp"))),
            ("80/", Some((80, 80, "tcp"))),
            ("53/UDP", Some((53, 53, "udp"))),
            ("7000-7002/sctp", Some((7000, 7002, "sctp"))),
            ("8080:80", Some((80, 80, "tcp"))),
            ("8080-8090:80", Some((80, 80, "tcp"))),
            ("127.0.0.1:8080:80", Some((80, 80, "tcp"))),
            ("[::1]:8080:80", Some((80, 80, "tcp"))),
            (":80", Some((80, 80, "tcp"))),
            ("", None),
            ("/tcp", None),
            ("http", None),
            ("80/http", None),
            ("90-80", None),
            ("1-2-3", None),
            ("65536", None),
            ("+80", None),
            ("1-3:80-81", None),
            ("host:1:80", None),
            ("80,", None),
        ] {
            let read = Ports::parse(written).ok().map(|ports| (ports.first, ports.last, ports.protocol.name()));
            assert_eq!(read, expected, "{written}");
        }
    }
}
