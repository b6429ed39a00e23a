//! Palisade's values and judgement: what a threat is, and what a good value is.
//!
//! Everything here is pure: no IO, no async, no clock. Text becomes a typed value at the edge (`FromStr`), a value
//! renders itself (`Display`) and judges itself (`weaknesses()`). The library and the gateway emit these values, the
//! checkup parses them off the wire, the audit builds them from Django settings: one value, four uses.
//!
//! Time and randomness are arguments, except for [`token`], the one place that asks the system for random bytes.

pub mod card;
pub mod character;
pub mod check;
pub mod cookie;
pub mod csrf;
pub mod dated_key;
pub mod django;
pub mod escape;
pub mod file_name;
pub mod finding;
pub mod git_index;
pub mod header;
pub mod hexadecimal;
pub mod host;
pub mod http_date;
pub mod json;
pub mod link_token;
pub mod login_url;
pub mod moment;
pub mod network;
pub mod origin;
pub mod password;
pub mod permission;
pub mod query;
pub mod redirect;
pub mod repr;
pub mod safe_url;
pub mod secret;
pub mod session;
pub mod settings;
pub mod signing;
pub mod threat;
pub mod throttle;
pub mod token;
pub mod upload;
pub mod url;
pub mod verdict;

pub use finding::Weakness;
pub use secret::{KeyRing, SecretKey, Sensitive};
pub use settings::Settings;
pub use threat::Threat;
