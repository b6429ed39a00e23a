//! A Django site and a Palisade service beside it: one database, one key, one host, and people who visit both.
//!
//! The Django is a real one, served by gunicorn; the service is a real listener of the library's. Both stand behind an
//! imagined proxy that ends TLS and sends some paths here and some there, and both have the same paths, so that a test is
//! written once and run with the sides exchanged.

mod django;
mod oracle;
mod service;
mod traveller;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use palisade::core::token::{Alphabet, random_string};
use tempfile::TempDir;
use testkit::Process;

pub use django::python_with_django;
pub use oracle::Oracle;
use service::Service;
pub use traveller::Traveller;

/// The one name of both.
pub const HOST: &str = "shop.test";

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The site of `gauntlet/django_site`.
    Django,
    /// The service of this crate.
    Palisade,
}

impl Side {
    /// Both orders: what holds must hold the other way round, too.
    pub const BOTH_WAYS: [(Side, Side); 2] = [(Side::Django, Side::Palisade), (Side::Palisade, Side::Django)];
}

/// What both are told when they start.
#[derive(Debug, Clone)]
pub struct Agreement {
    /// `SECRET_KEY`.
    pub key: String,
    /// `SECRET_KEY_FALLBACKS`.
    pub fallbacks: Vec<String>,
    /// The hasher that Django prefers; Palisade always prefers Argon2id.
    pub hasher: &'static str,
}

impl Agreement {
    /// Draws a key, and prefers Argon2id on both sides.
    pub fn new() -> Agreement {
        Agreement {
            key: random_string(64, Alphabet::Base62),
            fallbacks: Vec::new(),
            hasher: "argon2",
        }
    }

    /// Draws a new key; the one before becomes the first fallback.
    #[must_use]
    pub fn rotated(&self) -> Agreement {
        let mut fallbacks = vec![self.key.clone()];
        fallbacks.extend(self.fallbacks.iter().cloned());
        Agreement {
            fallbacks,
            ..Agreement::new()
        }
    }
}

impl Default for Agreement {
    fn default() -> Agreement {
        Agreement::new()
    }
}

/// The two sides, running.
#[derive(Debug)]
pub struct Pair {
    agreement: Agreement,
    django: Process,
    django_address: SocketAddr,
    service: Service,
    oracle: Oracle,
    folder: TempDir,
}

impl Pair {
    /// Starts both on a fresh database that Django's own migrations made.
    ///
    /// # Errors
    /// When Django cannot be installed, or a side does not start.
    pub async fn start(agreement: Agreement) -> Result<Pair> {
        let folder = tempfile::Builder::new().prefix("beside-").tempdir()?;
        let database = folder.path().join("shop.sqlite3");
        fs::copy(django::migrated()?, &database).context("the migrated database cannot be copied")?;
        let (django, django_address) = django::serve(&database, &agreement)?;
        Ok(Pair {
            oracle: Oracle::start(&database, &agreement)?,
            service: Service::start(&database, &agreement).await?,
            agreement,
            django,
            django_address,
            folder,
        })
    }

    /// Stops both and starts them again on the same database, as after a change of settings.
    ///
    /// # Errors
    /// When a side does not start.
    pub async fn restarted(self, agreement: Agreement) -> Result<Pair> {
        let Pair {
            mut django,
            service,
            oracle,
            folder,
            ..
        } = self;
        drop((service, oracle));
        django.terminate()?;
        let database = folder.path().join("shop.sqlite3");
        let (django, django_address) = django::serve(&database, &agreement)?;
        Ok(Pair {
            oracle: Oracle::start(&database, &agreement)?,
            service: Service::start(&database, &agreement).await?,
            agreement,
            django,
            django_address,
            folder,
        })
    }

    /// What both were told.
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// Django's word on what no page shows.
    pub fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// Somebody who has visited neither side.
    pub fn traveller(&self) -> Traveller {
        Traveller::new(self.django_address, self.service.address())
    }

    /// The same person with the same cookies, where both sides listen now.
    #[must_use]
    pub fn recognise(&self, traveller: &Traveller) -> Traveller {
        traveller.redirected(self.django_address, self.service.address())
    }

    /// Where the shared database lies.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("shop.sqlite3")
    }

    /// What Django has printed so far.
    pub fn django_log(&self) -> String {
        self.django.log()
    }
}
