//! Where an attack takes place: a site, an attacker's site, and a browser that visits both.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use palisade::clock::Clock;
use testkit::attacker::{Lure, Trap};
use testkit::{Attacker, Authority, Browser};

use crate::target::{Side, Target};

/// A site under attack, with the attacker and the victim's browser.
#[derive(Debug)]
pub struct Arena {
    /// The site under attack.
    pub target: Target,
    /// The victim's browser.
    pub browser: Browser,
    _attacker: Attacker,
    signed_up: Mutex<BTreeSet<&'static str>>,
}

impl Arena {
    /// Opens an arena around the weak twin.
    ///
    /// # Errors
    /// When a site or the browser does not start.
    pub async fn around_weak_twin() -> Result<Arena> {
        let authority = Authority::new()?;
        Arena::around_target(Target::weak_twin(&authority).await?, &authority).await
    }

    /// Opens an arena around the vault.
    ///
    /// # Errors
    /// When the vault cannot be built or a site or the browser does not start.
    pub async fn around_vault() -> Result<Arena> {
        Arena::around_target(Target::vault().await?, &Authority::new()?).await
    }

    /// Opens an arena around one of the two sites.
    ///
    /// # Errors
    /// When a site or the browser does not start.
    pub async fn around_side(side: Side) -> Result<Arena> {
        match side {
            Side::WeakTwin => Arena::around_weak_twin().await,
            Side::Vault => Arena::around_vault().await,
        }
    }

    /// Opens an arena around a vault within the test, by a clock that the test moves, with more lines of settings.
    ///
    /// # Errors
    /// When a site or the browser does not start.
    pub async fn around_vault_at(clock: &Clock, settings: &str) -> Result<Arena> {
        Arena::around_target(Target::vault_at(clock, settings).await?, &Authority::new()?).await
    }

    /// Lays traps for the users of this site.
    pub fn trap(&self, lure: Lure) -> Trap {
        Trap::new(lure, self.target.host())
    }

    /// Notes that `username` has an account from now on; says whether that is new.
    pub(crate) fn is_new(&self, username: &'static str) -> bool {
        self.signed_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(username)
    }

    /// Opens a page of the site in the victim's browser.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(&self, path: &str) -> Result<()> {
        self.browser.open(&self.target.url(path)).await
    }

    /// Opens an arena around a site that was opened with what an attack needs.
    ///
    /// # Errors
    /// When the attacker's site or the browser does not start.
    pub async fn around_target(target: Target, authority: &Authority) -> Result<Arena> {
        let attacker = Attacker::start(authority).await?;
        let setup = target.reachable(Browser::setup());
        let browser = attacker.lie_in_wait(setup, target.host()).start().await?;
        Ok(Arena {
            target,
            browser,
            _attacker: attacker,
            signed_up: Mutex::default(),
        })
    }
}
