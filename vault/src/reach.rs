//! From where the parts of the site are reached, as the command line says it.

use anyhow::{Result, anyhow};
use palisade::core::network::NetworkList;

use crate::cli::Options;

/// Who may frame the widget, and from where staff comes.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The sites that may frame the widget; all if there are none.
    pub widget_origins: Vec<String>,
    /// The networks from which there is a staff area.
    pub staff_networks: NetworkList,
    /// Whether staff needs a client certificate, too.
    pub staff_certificate: bool,
}

impl Default for Reach {
    /// Staff comes from this machine alone.
    fn default() -> Self {
        Self {
            widget_origins: Vec::new(),
            staff_networks: NetworkList::loopback(),
            staff_certificate: false,
        }
    }
}

impl Reach {
    /// Reads the options.
    ///
    /// # Errors
    ///
    /// Names everything among the networks that is none.
    pub fn of(options: &Options) -> Result<Self> {
        let staff_networks = if options.staff_networks.is_empty() {
            NetworkList::loopback()
        } else {
            NetworkList::parse(&options.staff_networks)
                .map_err(|error| anyhow!("--staff-network: {error}"))?
        };
        Ok(Self {
            widget_origins: options.widget_origins.clone(),
            staff_networks,
            staff_certificate: options.client_ca.is_some(),
        })
    }
}
