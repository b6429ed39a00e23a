//! Attacks on a whole running site, each written once and run twice.
//!
//! An [`attack`] is a function over an [`Arena`]: a site, an attacker's site and one browser that visits both. Against
//! the weak twin it must succeed, or it would not see the hole; against the vault it must fail. No attack knows which
//! of the two it is run against.
//!
//! A [`journey`] is what a person does there with clicks and keys, and each page that it comes by is [looked at](look).
//!
//! [`beside`] is the other thing that is only true of the whole: a Django and a Palisade that share one login.
//!
//! A [`siege`] asks how the others fare while somebody tries to take all that the vault has; a [`soak`] kills it and asks what became of its promises.

pub mod arena;
pub mod attack;
pub mod beside;
pub mod journey;
pub mod look;
pub mod page;
pub mod runner;
pub mod siege;
pub mod soak;
pub mod target;

pub use arena::Arena;
pub use attack::Outcome;
pub use attack::registry::ATTACKS;
pub use journey::Person;
pub use target::{Side, Target};
