//! Which server an error is about: its host and port, and never user or password.

use std::net::IpAddr;
use std::sync::Arc;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::PostgresError;

/// The port of an address that names none.
const PORT: u16 = 5432;

/// A server, as an error names it.
#[derive(Clone, Debug)]
pub(super) struct Server {
    name: Arc<str>,
    near: bool,
}

impl Server {
    pub(super) fn of(config: &Config) -> Self {
        let ports = config.get_ports();
        let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(PORT);
        let mut names: Vec<String> = config
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(at, host)| named(host, port(at)))
            .collect();
        if names.is_empty() {
            let addresses = config.get_hostaddrs().iter().enumerate();
            names = addresses
                .map(|(at, address)| named(&Host::Tcp(address.to_string()), port(at)))
                .collect();
        }
        Self {
            name: names.join(" or ").into(),
            near: is_near(config),
        }
    }

    pub(super) fn unreachable(&self, reason: impl Into<String>) -> PostgresError {
        PostgresError::Unreachable {
            server: self.name.to_string(),
            reason: reason.into(),
        }
    }

    /// Explains an error of making a connection.
    pub(super) fn while_connecting(&self, error: &tokio_postgres::Error) -> PostgresError {
        let mut reason = super::error::reason(error);
        if !self.near && reason.ends_with("server does not support TLS") {
            reason.push_str(
                "; a server on another machine is spoken to over TLS: set ssl = on there, or write sslmode=disable if the network \
                 is yours",
            );
        }
        self.unreachable(reason)
    }
}

fn named(host: &Host, port: u16) -> String {
    match host {
        Host::Tcp(name) if name.contains(':') => format!("[{}]:{port}", name.escape_debug()),
        Host::Tcp(name) => format!("{}:{port}", name.escape_debug()),
        Host::Unix(folder) => format!("{}/.s.PGSQL.{port}", folder.display()),
    }
}

/// Whether the way to the server does not leave this machine.
pub(super) fn is_near(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    if !addresses.is_empty() {
        return addresses.iter().all(IpAddr::is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_host_and_port_and_by_nothing_else() {
        for (address, name) in [
            (
                "postgres://shop:hunter2@db.example.com/shop",
                "db.example.com:5432",
            ),
            ("postgres://shop:hunter2@127.0.0.1:18433/shop", "127.0.0.1:18433"),
            ("postgres://shop:hunter2@[::1]:6000/shop", "[::1]:6000"),
            ("postgres://shop:hunter2@a:1,b:2/shop", "a:1 or b:2"),
            (
                "postgres://shop:hunter2@/shop?host=/var/run/postgresql",
                "/var/run/postgresql/.s.PGSQL.5432",
            ),
            ("host=a,b port=7 user=shop password=hunter2", "a:7 or b:7"),
        ] {
            let config: Config = address.parse().unwrap();
            assert_eq!(&*Server::of(&config).name, name);
        }
    }
}
