//! Tools for tests that need a real browser, a hostile site, a hostile client or a running program.
//!
//! They are one crate because they share one idea: a defence is only proved by the attack it stops, and an attack
//! is only believed when it was seen to work somewhere. So beside the [`Browser`] and the [`attacker`] there is the
//! [`weak`] twin, a site with exactly the holes that Palisade closes, for every attack to succeed against first.
//!
//! Nothing here knows Palisade. What is tested and what tests it must not share a parser.

#[cfg(feature = "web")]
pub mod attacker;
#[cfg(feature = "web")]
pub mod authenticator;
#[cfg(feature = "web")]
pub mod browser;
#[cfg(feature = "web")]
pub mod certificate;
mod database;
#[cfg(feature = "web")]
pub mod mail;
pub mod mariadb;
pub mod nginx;
pub mod permutation;
pub mod postgres;
pub mod process;
#[cfg(feature = "web")]
pub mod raw;
pub mod redis;
pub mod s3;
pub mod script_vectors;
#[cfg(feature = "web")]
pub mod site;
#[cfg(feature = "web")]
pub mod visitor;
#[cfg(feature = "web")]
pub mod weak;

#[cfg(feature = "web")]
pub use attacker::Attacker;
#[cfg(feature = "web")]
pub use browser::Browser;
#[cfg(feature = "web")]
pub use certificate::{Authority, spki_fingerprint};
#[cfg(feature = "web")]
pub use mail::MailServer;
pub use mariadb::MariaDb;
pub use nginx::Nginx;
pub use permutation::Pairs;
pub use postgres::Postgres;
pub use process::Process;
pub use redis::{Redis, RedisCluster, RedisSentinel};
pub use s3::S3Server;
#[cfg(feature = "web")]
pub use site::Site;
#[cfg(feature = "web")]
pub use visitor::Visitor;
#[cfg(feature = "web")]
pub use weak::WeakTwin;
