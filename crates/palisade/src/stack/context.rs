//! What the stack offers to extractors and rules: the request's context.
//!
//! An extractor sees the request and nothing else, so the stores and what is made of the settings travel with each request as one
//! extension. What is not there is answered with what to give [`Palisade`]; nobody goes on without it.

use std::sync::Arc;

use http::{request, response};
use palisade_core::Settings;
use palisade_core::link_token::LinkTokens;
use palisade_core::password::ResetTokens;
use palisade_core::session::SessionAuthHasher;

use super::Palisade;
use crate::auth::{Letters, SecondFactors, Users};
use crate::clock::Clock;
use crate::form::FormPolicy;
use crate::gate::Hidden;
use crate::guard::Guard;
use crate::mail::Mailer;
use crate::media::Media;
use crate::rejection::Rejection;
use crate::rows::RowStore;
use crate::throttle::{Devices, Throttles};

/// What the stack offers to extractors, as an extension of each request.
#[derive(Clone, Debug)]
pub(crate) struct StackContext(Arc<Offer>);

#[derive(Debug)]
struct Offer {
    settings: Arc<Settings>,
    clock: Clock,
    users: Option<Users>,
    throttles: Option<Throttles>,
    devices: Devices,
    second_factors: Option<SecondFactors>,
    mailer: Option<Mailer>,
    letters: Arc<dyn Letters>,
    rows: Option<RowStore>,
    media: Option<Media>,
    login_hasher: SessionAuthHasher,
    reset_tokens: ResetTokens,
    link_tokens: LinkTokens,
    forms: Arc<FormPolicy>,
}

impl StackContext {
    /// What this has been given, and what is made of its settings.
    pub(super) fn new(palisade: &Palisade) -> Self {
        let settings = &palisade.settings;
        Self(Arc::new(Offer {
            settings: Arc::clone(settings),
            clock: palisade.clock.clone(),
            users: palisade.users.clone(),
            throttles: palisade.throttles.clone(),
            devices: Devices::from_settings(settings),
            second_factors: palisade.second_factors.clone(),
            mailer: palisade.mailer.clone(),
            letters: Arc::clone(&palisade.letters),
            reset_tokens: ResetTokens::new(&settings.key_ring())
                .with_timeout(settings.password_reset_timeout),
            link_tokens: LinkTokens::new(&settings.key_ring()),
            rows: palisade.rows.clone(),
            media: palisade.media.clone(),
            login_hasher: SessionAuthHasher::new(&settings.key_ring()),
            forms: Arc::new(FormPolicy::from_settings(settings)),
        }))
    }

    pub(crate) fn of(extensions: &http::Extensions) -> Result<Self, Rejection> {
        let context = extensions.get::<Self>().cloned();
        context
            .ok_or_else(|| Rejection::internal("the stack is missing: serve what Palisade::protect returns"))
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        let settings = Settings::for_tests(palisade_core::SecretKey::new("a key of tests"));
        Self::new(&Palisade::new(settings))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What ties a session to the password it was opened with.
    pub(crate) fn login_hasher(&self) -> &SessionAuthHasher {
        &self.0.login_hasher
    }

    /// What makes and checks the tokens of links that reset passwords.
    pub(crate) fn reset_tokens(&self) -> &ResetTokens {
        &self.0.reset_tokens
    }

    /// What makes and reads the tokens of links to rows.
    pub(crate) fn link_tokens(&self) -> &LinkTokens {
        &self.0.link_tokens
    }

    pub(crate) fn second_factors(&self) -> Option<&SecondFactors> {
        self.0.second_factors.as_ref()
    }

    pub(crate) fn letters(&self) -> &dyn Letters {
        &*self.0.letters
    }

    pub(crate) fn mailer(&self) -> Result<&Mailer, Rejection> {
        let mailer = self.0.mailer.as_ref();
        mailer.ok_or_else(|| Rejection::internal("there is no mail: give Palisade a mailer with with_mailer"))
    }

    pub(crate) fn forms(&self) -> Arc<FormPolicy> {
        Arc::clone(&self.0.forms)
    }

    /// What counts tries; wherever there are users, there is one.
    pub(crate) fn throttles(&self) -> Result<&Throttles, Rejection> {
        let throttles = self.0.throttles.as_ref();
        throttles.ok_or_else(|| {
            Rejection::internal(
                "there are no throttles: give Palisade users with with_users, or a store with with_throttle",
            )
        })
    }

    /// What knows the devices of accounts.
    pub(crate) fn devices(&self) -> &Devices {
        &self.0.devices
    }

    pub(crate) fn users(&self) -> Result<&Users, Rejection> {
        let users = self.0.users.as_ref();
        users.ok_or_else(|| Rejection::internal("there are no users: give Palisade a table with with_users"))
    }

    pub(crate) fn media(&self) -> Result<&Media, Rejection> {
        let media = self.0.media.as_ref();
        media.ok_or_else(|| {
            Rejection::internal("there is no store of media: give Palisade one with with_media")
        })
    }

    pub(crate) fn rows(&self) -> Result<&RowStore, Rejection> {
        let rows = self.0.rows.as_ref();
        rows.ok_or_else(|| {
            Rejection::internal("there are no rows of users: give Palisade their database with with_rows")
        })
    }
}

impl Guard for StackContext {
    type Pass = ();

    fn admit(&self, request: &mut request::Parts) -> Result<(), Rejection> {
        request.extensions.insert(self.clone());
        Ok(())
    }

    fn release(&self, (): (), response: &mut response::Parts) {
        Hidden::keep(response);
    }
}
