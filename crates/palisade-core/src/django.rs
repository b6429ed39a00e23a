//! What Django's own middleware would decide, as pure functions over a request and whatever settings it is given.
//!
//! The library's layers are stricter than Django on purpose, and belong to one HTTP stack. Whoever puts a gateway before a
//! Django site, compares two deployments, or writes for another framework asks a different question: *what does Django
//! answer here?* These functions answer it to the letter, message for message, with every looseness that the settings
//! allow. Nothing here is a default to build on.
//!
//! # Example
//!
//! ```
//! use palisade_core::django::{HostSettings, Request};
//! use palisade_core::host::AllowedHosts;
//!
//! let hosts = HostSettings {
//!     allowed_hosts: AllowedHosts::parse([".example.com"]),
//!     ..HostSettings::default()
//! };
//! let mut request = Request::default();
//! request.headers.insert("host".to_owned(), "Shop.example.com:8000".to_owned());
//! assert_eq!(hosts.host(&request).unwrap(), "Shop.example.com:8000");
//! ```

pub use self::clickjacking::{Decoration, x_frame_options};
pub use self::cookie::{CookieArguments, Expiry, InvalidArguments};
pub use self::csrf::{
    CsrfSettings, CsrfState, Decision, FormToken, ImproperlyConfigured, Kept, ProcessView, Secret,
};
pub use self::request::{HostSettings, ProxyHeader, Request, Unhosted};
pub use self::security::{SecuritySettings, Unredirected};

mod clickjacking;
mod cookie;
mod csrf;
mod request;
mod security;
