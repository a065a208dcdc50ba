//! A container of this run: how it is reached from outside, and that it is gone in the end.

#![allow(clippy::disallowed_methods, reason = "the user's own check is a command that is started")]

use super::{
    engine::{Engine, StartOrder},
    failure::Failure,
    http::{self, Answer},
    namespace::Namespace,
    process::{self, Ended, Unfinished},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::Command,
    time::Duration,
};

/// How containers are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Their network is entered, and they have no other.
    Entered,
    /// Their ports are published on this machine's loopback, and they have a network.
    Published,
}

/// The way to the ports of a container that runs.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// Through its network.
    Inside(Namespace),
    /// Through published ports, by the port in the container.
    Outside(BTreeMap<u16, SocketAddr>),
}

/// A container, removed when it goes out of scope.
#[derive(Debug)]
pub(super) struct Container<'e> {
    engine: &'e Engine,
    pub(super) name: String,
}

impl<'e> Container<'e> {
    /// Makes a container and does not start it; the inner failure is what the engine says.
    pub(super) fn create(engine: &'e Engine, order: &StartOrder<'_>) -> Result<Result<Self, String>, Failure> {
        // From here on it may exist, even if making it fails half-way.
        let container = Self { engine, name: order.name.to_owned() };
        Ok(engine.create(order)?.map(|()| container))
    }

    /// The way to its ports; none if its network is not on this machine.
    pub(super) fn way(&self, access: Access, ports: &BTreeSet<u16>) -> Result<Option<Way>, Failure> {
        match access {
            Access::Entered => {
                let state = self.engine.state(&self.name)?;
                let Some(process) = state.process else { return Ok(None) };
                let host = self.engine.host_name(&self.name)?;
                Ok(Namespace::of(process, &host).map(Way::Inside))
            }
            Access::Published => {
                let mut addresses = BTreeMap::new();
                for port in ports {
                    addresses.extend(self.engine.published(&self.name, *port)?.map(|address| (*port, address)));
                }
                Ok(Some(Way::Outside(addresses)))
            }
        }
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.engine.remove_container(&self.name);
    }
}

impl Way {
    /// The ports that somebody listens on.
    pub(super) fn listening(&self) -> BTreeSet<u16> {
        match self {
            Way::Inside(network) => network.listening(),
            Way::Outside(addresses) => {
                let accepted = addresses.iter().filter(|(_, address)| http::is_accepted(**address));
                accepted.map(|(port, _)| *port).collect()
            }
        }
    }

    /// What the server on `port` answers for `path`.
    pub(super) fn ask(&self, port: u16, path: &str) -> Answer {
        match self {
            Way::Inside(network) => {
                let here = |ip: IpAddr| http::get(SocketAddr::new(ip, port), path);
                let ask = || match here(Ipv4Addr::LOCALHOST.into()) {
                    Answer::Refused => here(Ipv6Addr::LOCALHOST.into()),
                    answer @ (Answer::Page { .. } | Answer::Other) => answer,
                };
                network.inside(ask).unwrap_or(Answer::Refused)
            }
            Way::Outside(addresses) => {
                addresses.get(&port).map_or(Answer::Refused, |address| http::get(*address, path))
            }
        }
    }

    /// The number of the user that the first process has, if that can be seen.
    pub(super) fn user_id(&self) -> Option<u32> {
        match self {
            Way::Inside(network) => network.user_id(),
            Way::Outside(_) => None,
        }
    }

    /// Runs the user's own check, which finds the way in its variables.
    pub(super) fn smoke(
        &self,
        check: &str,
        container: &str,
        engine: &Engine,
        port: Option<u16>,
        limit: Duration,
    ) -> Result<Ended, Unfinished> {
        let address = port.and_then(|port| match self {
            Way::Inside(_) => Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
            Way::Outside(addresses) => addresses.get(&port).copied(),
        });
        let mut command = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
        command.args([if cfg!(windows) { "/C" } else { "-c" }, check]);
        command.env("IRONHULL_CONTAINER", container).env("IRONHULL_ENGINE", engine.runner().program());
        if let Some(address) = address {
            command.env("IRONHULL_HOST", address.ip().to_string()).env("IRONHULL_PORT", address.port().to_string());
            command.env("IRONHULL_URL", format!("http://{address}"));
        }
        // A child is born into the network of the thread that starts it.
        let run = || process::run(command, limit, Some(engine.interrupt()));
        match self {
            Way::Inside(network) => network.inside(run).unwrap_or(Err(Unfinished::Interrupted)),
            Way::Outside(_) => run(),
        }
    }
}
