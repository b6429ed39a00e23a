//! A Django site and a Palisade service beside it: one database, one key, one host, and people who visit both.
//!
//! The Django is a real one, served by gunicorn; the service is a real listener of the library's. Both stand behind an
//! imagined proxy that ends TLS and sends some paths here and some there, and both have the same paths, so that a test is
//! written once and run with the sides exchanged.

mod django;
mod ground;
mod keeper;
mod oracle;
mod service;
mod traveller;

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use anyhow::{Context, Result};
use palisade::core::token::{Alphabet, random_string};
use testkit::Process;
use tokio::sync::Mutex;

pub use django::python_with_django;
use ground::Ground;
pub use ground::{Database, SessionEngine};
pub use keeper::Keeper;
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
    /// One after the other.
    pub const EACH: [Side; 2] = [Side::Django, Side::Palisade];

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
    /// The database of both.
    pub database: Database,
    /// `SESSION_ENGINE`.
    pub sessions: SessionEngine,
}

impl Agreement {
    /// Draws a key, prefers Argon2id on both sides, and keeps everything in an SQLite database.
    pub fn new() -> Agreement {
        Agreement {
            key: random_string(64, Alphabet::Base62),
            fallbacks: Vec::new(),
            hasher: "argon2",
            database: Database::Sqlite,
            sessions: SessionEngine::Db,
        }
    }

    /// Draws a new key; the one before becomes the first fallback.
    #[must_use]
    pub fn rotated(&self) -> Agreement {
        let mut fallbacks = vec![self.key.clone()];
        fallbacks.extend(self.fallbacks.iter().cloned());
        Agreement {
            key: Agreement::new().key,
            fallbacks,
            ..self.clone()
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
    ground: Arc<Ground>,
}

impl Pair {
    /// Starts both on a fresh database that Django's own migrations made.
    ///
    /// # Errors
    /// When Django cannot be installed, or a side does not start.
    pub async fn start(agreement: Agreement) -> Result<Pair> {
        Pair::on(Arc::new(Ground::new(&agreement)?), agreement).await
    }

    /// The pair on this database that all tests use who change nothing that others see; it ends with the last of them.
    ///
    /// # Errors
    /// As [`Pair::start`].
    pub async fn shared(database: Database) -> Result<Arc<Pair>> {
        static PAIRS: [Mutex<Weak<Pair>>; 3] = [const { Mutex::const_new(Weak::new()) }; 3];
        let place = PAIRS.get(database as usize).context("an unknown database")?;
        let mut place = place.lock().await;
        if let Some(running) = place.upgrade() {
            return Ok(running);
        }
        let agreement = Agreement {
            database,
            ..Agreement::new()
        };
        let started = Arc::new(Pair::start(agreement).await?);
        *place = Arc::downgrade(&started);
        Ok(started)
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
            ground,
            ..
        } = self;
        drop((service, oracle));
        django.terminate()?;
        Pair::on(ground, agreement).await
    }

    async fn on(ground: Arc<Ground>, agreement: Agreement) -> Result<Pair> {
        let (django, django_address) = django::serve(&ground, &agreement)?;
        let oracle = Oracle::start(&ground, &agreement)?;
        Ok(Pair {
            service: Service::start(&ground, &oracle).await?,
            oracle,
            agreement,
            django,
            django_address,
            ground,
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

    /// What the README's command prints, which makes a dump of Django's settings.
    ///
    /// # Errors
    /// When it fails.
    pub fn dumped_settings(&self) -> Result<String> {
        django::dump(&self.ground, &self.agreement)
    }

    /// What Django has printed so far.
    pub fn django_log(&self) -> String {
        self.django.log()
    }
}
