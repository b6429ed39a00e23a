//! A try: what is tried, at which account, from where.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::bucket::Scope;
use super::device::KnownDevice;
use crate::password::Username;

/// How much of an IPv6 address is one network: what a household or a rented server has to itself.
const IPV6_PREFIX: u8 = 64;

/// A try that is about to be made.
///
/// # Example
///
/// ```
/// use palisade::throttle::{Attempt, Scope};
///
/// let attempt = Attempt::new(Scope::PasswordReset)
///     .of_account("ada@example.com")
///     .at_address([192, 0, 2, 7].into());
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is counted until it is reserved"]
pub struct Attempt<'a> {
    pub(super) scope: Scope,
    pub(super) account: Option<&'a str>,
    pub(super) network: Option<IpNet>,
    pub(super) device: Option<&'a KnownDevice>,
}

impl<'a> Attempt<'a> {
    /// A try of this kind, which is counted for nobody yet.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            account: None,
            network: None,
            device: None,
        }
    }

    /// Counts it for an account, by whatever name it is tried, whether or not there is one. The case of letters is no difference.
    pub fn of_account(self, name: &'a str) -> Self {
        Self {
            account: Some(name),
            ..self
        }
    }

    /// Counts it for the network of an address: of [`crate::transport::Connection`], which believes listed proxies only.
    pub fn at_address(self, address: IpAddr) -> Self {
        Self {
            network: Some(network_of(address)),
            ..self
        }
    }

    /// Counts it for a device that is known to the account, and for nobody else.
    pub fn by_device(self, device: Option<&'a KnownDevice>) -> Self {
        Self { device, ..self }
    }
}

/// The network that an address is counted with. An IPv4 address in the clothes of IPv6 is an IPv4 address.
pub(super) fn network_of(address: IpAddr) -> IpNet {
    match address.to_canonical() {
        IpAddr::V4(address) => IpNet::V4(Ipv4Net::from(address)),
        IpAddr::V6(address) => {
            let whole = Ipv6Net::from(address);
            IpNet::V6(Ipv6Net::new(address, IPV6_PREFIX).unwrap_or(whole).trunc())
        }
    }
}

/// A name without its case: `Ada` is no second try at `ada`.
pub(super) fn folded(name: &str) -> String {
    Username::normalize(name).to_lowercase()
}
