//! How a walk comes through the gate of a route, and how it does not: from an address of its networks and from one outside them, with a
//! certificate and without.
//!
//! Without it a route behind a gate would answer everybody with 404 or 403, and nothing would be proved of the rule that stands there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_core::network::NetworkList;

use super::report::WalkError;
use crate::certificate::ClientCertificate;
use crate::gate::Gate;

/// Where everybody is who has no reason to be elsewhere.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Where somebody is who is in nobody's network: addresses of documentation, and this machine.
const ELSEWHERE: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    HERE,
];

/// From where somebody asks, and with what.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) from: IpAddr,
    pub(super) certificate: Option<ClientCertificate>,
}

/// A way on which a route is not reached.
#[derive(Clone, Debug)]
pub(super) struct Shut {
    pub(super) way: Way,
    /// Whether the route is hidden there; else it is refused.
    pub(super) hides: bool,
    /// How the table calls it.
    pub(super) name: String,
}

/// The ways to a route.
#[derive(Clone, Debug)]
pub(super) struct Ways {
    pub(super) open: Way,
    pub(super) shut: Vec<Shut>,
}

impl Way {
    /// As most routes are reached.
    pub(super) fn usual() -> Self {
        Self {
            from: HERE,
            certificate: None,
        }
    }
}

impl Ways {
    /// Finds them, or says why there are none. The certificate is for routes that ask for one.
    pub(super) fn of(gate: &Gate, certificate: &ClientCertificate) -> Result<Self, String> {
        let within = |address: IpAddr| gate.networks.iter().all(|list| list.contains(address));
        // Of networks with a common address one lies in the others.
        let firsts = gate.networks.iter().flat_map(NetworkList::networks);
        let mut inside = std::iter::once(HERE).chain(firsts.map(ipnet::IpNet::network));
        let from = inside
            .find(|address| within(*address))
            .ok_or("no address is in all of its networks: nobody reaches it, and nothing is proved")?;
        let certificate = gate.client_certificate.then(|| certificate.clone());
        let open = Way { from, certificate };
        let mut shut = Vec::new();
        if !gate.networks.is_empty() {
            let from = ELSEWHERE
                .into_iter()
                .find(|address| !within(*address))
                .ok_or("its networks are everywhere: nothing is proved of them")?;
            shut.push(Shut {
                way: Way { from, ..open.clone() },
                hides: true,
                name: format!("not from {from}"),
            });
        }
        if gate.client_certificate {
            shut.push(Shut {
                way: Way {
                    certificate: None,
                    ..open.clone()
                },
                hides: false,
                name: "not without a certificate".to_owned(),
            });
        }
        Ok(Self { open, shut })
    }
}

/// A certificate that nobody has verified, for an application whose handlers do not look at whose it is.
pub(super) fn certificate() -> Result<ClientCertificate, WalkError> {
    let made = || -> Option<ClientCertificate> {
        let key = rcgen::KeyPair::generate().ok()?;
        let certificate = rcgen::CertificateParams::default().self_signed(&key).ok()?;
        ClientCertificate::dangerous_unverified(certificate.der()).ok()
    };
    made().ok_or_else(|| WalkError::stopped("no certificate can be made".to_owned()))
}
