//! Lists of networks: from where something may be reached (threats `insecure-transport`, `exposed-diagnostics`).
//!
//! A list that was mistyped has to stop the start, not to let everybody in or nobody: so it is read strictly, and everything that
//! is wrong with it is said at once.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The networks from which something may be reached.
///
/// An IPv4 client of an IPv6 socket (`::ffff:10.0.0.7`) is the IPv4 client that it is, and a network written so is that of
/// IPv4.
///
/// # Example
///
/// ```
/// use palisade_core::network::NetworkList;
///
/// let office = NetworkList::parse(["10.0.0.0/8", "2001:db8:7::/48", "192.0.2.17"])?;
/// assert!(office.contains("10.20.30.40".parse()?));
/// assert!(!office.contains("192.0.2.18".parse()?));
/// assert_eq!(office.to_string(), "10.0.0.0/8, 2001:db8:7::/48, 192.0.2.17");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Security
///
/// An address says where a connection comes from and not who sends it: whoever is in the network is let in, a hijacked machine
/// too. Ask for a login beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkList(Vec<IpNet>);

impl NetworkList {
    /// Reads networks (`10.0.0.0/8`, `2001:db8::/32`) and single addresses.
    ///
    /// # Errors
    ///
    /// [`InvalidNetworks`] says all that is wrong: what is no network, what has bits set that its length cuts off (a typing error
    /// more often than not), what is every address there is, and a list without any.
    pub fn parse<T: AsRef<str>>(networks: impl IntoIterator<Item = T>) -> Result<Self, InvalidNetworks> {
        let (mut read, mut wrong) = (Vec::new(), Vec::new());
        for text in networks {
            let text = text.as_ref().trim();
            match network(text) {
                Ok(network) => read.push(network),
                Err(why) => wrong.push((text.to_owned(), why)),
            }
        }
        match (read.is_empty(), wrong.is_empty()) {
            (_, false) => Err(InvalidNetworks::Wrong(wrong)),
            (true, true) => Err(InvalidNetworks::Empty),
            (false, true) => Ok(Self(read)),
        }
    }

    /// The machine itself: `127.0.0.0/8` and `::1`.
    pub fn loopback() -> Self {
        Self(vec![
            v4([127, 0, 0, 0], 8),
            IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
        ])
    }

    /// Says whether an address is in one of the networks.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The networks, as they were written.
    pub fn networks(&self) -> &[IpNet] {
        &self.0
    }
}

impl FromStr for NetworkList {
    type Err = InvalidNetworks;

    /// Reads a list with commas between.
    fn from_str(text: &str) -> Result<Self, InvalidNetworks> {
        Self::parse(text.split(',').filter(|part| !part.trim().is_empty()))
    }
}

impl fmt::Display for NetworkList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, network) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            // A network of one address is that address.
            if network.prefix_len() == network.max_prefix_len() {
                write!(f, "{comma}{}", network.addr())?;
            } else {
                write!(f, "{comma}{network}")?;
            }
        }
        Ok(())
    }
}

/// What is wrong with one text of a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNetwork {
    /// It is neither a network nor an address.
    #[error("it is neither a network such as 10.0.0.0/8 nor an address")]
    Malformed,
    /// Its address has bits that its length cuts off.
    #[error("a network of that length begins at {0}: write that, or the longer network that was meant")]
    HostBits(IpNet),
    /// It is every address that there is.
    #[error("it is every address there is: leave the list out where everybody may come")]
    Everywhere,
}

/// Why a list of networks is none: everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidNetworks {
    /// There is no network in it, so that it would let nobody in.
    Empty,
    /// These texts are wrong.
    Wrong(Vec<(String, InvalidNetwork)>),
}

impl fmt::Display for InvalidNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "the list of networks is empty, and nobody could come: name one, such as 10.0.0.0/8",
            ),
            Self::Wrong(wrong) => {
                for (n, (text, why)) in wrong.iter().enumerate() {
                    let semicolon = if n == 0 { "" } else { "; " };
                    write!(f, "{semicolon}{text:?}: {why}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for InvalidNetworks {}

fn network(text: &str) -> Result<IpNet, InvalidNetwork> {
    let read = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let read = read.map_err(|_| InvalidNetwork::Malformed)?;
    if read.trunc() != read {
        return Err(InvalidNetwork::HostBits(read.trunc()));
    }
    let network = canonical(read);
    if network.prefix_len() == 0 {
        return Err(InvalidNetwork::Everywhere);
    }
    Ok(network)
}

/// What IPv6 says of IPv4 addresses, said of IPv4.
fn canonical(network: IpNet) -> IpNet {
    let mapped = |network: &Ipv6Net| {
        let address = network.network().to_ipv4_mapped()?;
        let length = network.prefix_len().checked_sub(96)?;
        Ipv4Net::new(address, length).ok()
    };
    match network {
        IpNet::V6(v6) => mapped(&v6).map_or(network, IpNet::from),
        IpNet::V4(_) => network,
    }
}

fn v4(octets: [u8; 4], length: u8) -> IpNet {
    IpNet::from(Ipv4Net::new_assert(octets.into(), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(networks: &[&str], address: &str) -> bool {
        NetworkList::parse(networks)
            .unwrap()
            .contains(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_in_the_network_however_it_is_written() {
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203"] {
            assert!(contains(&["10.0.0.0/8"], address), "{address}");
            assert!(contains(&["::ffff:10.0.0.0/104"], address), "{address}");
            assert!(!contains(&["10.1.2.4"], address), "{address}");
            // What is every address of IPv6, or looks alike, says nothing of IPv4.
            assert!(
                !contains(&["::/1", "2001:db8::/32", "a01:203::/32"], address),
                "{address}"
            );
        }
        for address in ["2001:db8::1", "2001:0DB8:0:0::0:1"] {
            assert!(contains(&["2001:db8::/32"], address), "{address}");
            assert!(!contains(&["10.0.0.0/8", "32.1.13.184"], address), "{address}");
        }
        // The IPv4-compatible form and NAT64 are other machines.
        assert!(!contains(&["10.0.0.0/8"], "::10.1.2.3"));
        assert!(!contains(&["10.0.0.0/8"], "64:ff9b::10.1.2.3"));
    }

    #[test]
    fn everything_that_is_wrong_with_a_list_is_said_at_once() {
        let wrong = NetworkList::parse([
            "10.0.0.0/8",
            "office",
            "10.0.0.7/8",
            "0.0.0.0/0",
            "::/0",
            "::ffff:0:0/96",
            "10.0.0.0/33",
            "",
        ]);
        let said = wrong.unwrap_err().to_string();
        assert!(!said.contains("\"10.0.0.0/8\""), "{said}");
        for wrong in [
            "\"office\": it is neither",
            "\"10.0.0.7/8\": a network of that length begins at 10.0.0.0/8",
            "\"0.0.0.0/0\": it is every address",
            "\"::/0\": it is every address",
            "\"::ffff:0:0/96\": it is every address",
            "\"10.0.0.0/33\": it is neither",
            "\"\": it is neither",
        ] {
            assert!(said.contains(wrong), "no {wrong} in {said}");
        }
        assert_eq!(NetworkList::parse([""; 0]), Err(InvalidNetworks::Empty));
        assert_eq!(" , ".parse::<NetworkList>(), Err(InvalidNetworks::Empty));
    }

    #[test]
    fn loopback_is_this_machine_and_no_other() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(
                NetworkList::loopback().contains(address.parse().unwrap()),
                "{address}"
            );
        }
        for address in ["126.255.255.255", "128.0.0.1", "10.0.0.1", "::2", "0.0.0.0", "::"] {
            assert!(
                !NetworkList::loopback().contains(address.parse().unwrap()),
                "{address}"
            );
        }
    }

    #[test]
    fn a_list_is_printed_as_it_is_read() {
        let list: NetworkList = "127.0.0.0/8, ::1,::ffff:10.0.0.0/104".parse().unwrap();
        assert_eq!(list.to_string(), "127.0.0.0/8, ::1, 10.0.0.0/8");
        assert_eq!(list.to_string().parse::<NetworkList>(), Ok(list));
    }
}
