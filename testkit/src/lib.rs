//! Tools for tests that need a real browser, a hostile site, a hostile client or a running program.
//!
//! They are one crate because they share one idea: a defence is only proved by the attack it stops, and an attack
//! is only believed when it was seen to work somewhere. So beside the [`Browser`] and the [`attacker`] there is the
//! [`weak`] twin, a site with exactly the holes that Palisade closes, for every attack to succeed against first.
//!
//! Nothing here knows Palisade. What is tested and what tests it must not share a parser.

pub mod attacker;
pub mod browser;
pub mod certificate;
mod database;
pub mod mariadb;
pub mod postgres;
pub mod process;
pub mod raw;
pub mod redis;
pub mod site;
pub mod visitor;
pub mod weak;

pub use attacker::Attacker;
pub use browser::Browser;
pub use certificate::{Authority, spki_fingerprint};
pub use mariadb::MariaDb;
pub use postgres::Postgres;
pub use process::Process;
pub use redis::{Redis, RedisCluster, RedisSentinel};
pub use site::Site;
pub use visitor::Visitor;
pub use weak::WeakTwin;
