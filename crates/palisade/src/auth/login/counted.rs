//! The tries of a login: counted before they are made, for an account and a network, or for a device that the account knows.

use palisade_core::{Sensitive, Threat};

use super::{Auth, one_word};
use crate::auth::error::AuthError;
use crate::auth::user::User;
use crate::throttle::{
    Attempt, KnownDevice, Reservation, Scope, SentDevices, ThrottleError, ThrottleStoreError,
};

/// Gives a try back that was right, or that found nothing out because something else failed; leaves it counted otherwise.
pub(in crate::auth) async fn settled<T>(
    reservation: Reservation,
    outcome: Result<T, AuthError>,
    was_right: impl FnOnce(&T) -> bool,
) -> Result<T, AuthError> {
    match &outcome {
        Ok(done) if was_right(done) => reservation.refund().await,
        Err(error) if error.found_nothing_out() => reservation.cancel().await,
        _ => reservation.keep(),
    }
    outcome
}

pub(super) fn no_throttles() -> AuthError {
    AuthError::Throttle(ThrottleStoreError::unavailable("there is none"))
}

impl Auth {
    /// Says whether a password is this user's, as before a sensitive action. The try is counted in a scope of its own.
    ///
    /// # Errors
    ///
    /// As [`Auth::authenticate`].
    pub async fn check_password(&self, user: &User, password: &Sensitive<String>) -> Result<bool, AuthError> {
        self.check_in(Scope::Reauthentication, user, password).await
    }

    pub(super) async fn check_in(
        &self,
        scope: Scope,
        user: &User,
        password: &Sensitive<String>,
    ) -> Result<bool, AuthError> {
        let reservation = self.reserve(scope, user).await?;
        let verified = self.verify(Some(user.clone()), password).await;
        let is_right = settled(reservation, verified, Option::is_some).await?.is_some();
        if !is_right {
            self.failed(&user.username);
        }
        Ok(is_right)
    }

    /// Counts a try at something of this user's, such as a code, as failed before it is looked at: for the account and for the
    /// client's network, or for a device that is known to the account. [`Reservation::refund`] gives it back.
    ///
    /// # Errors
    ///
    /// [`AuthError::Throttled`] after too many, or when the store cannot answer.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::Rejection;
    /// use palisade::auth::{Auth, LoggedIn};
    /// use palisade::throttle::Scope;
    ///
    /// async fn take_pin(auth: Auth, user: LoggedIn, pin: String) -> Result<&'static str, Rejection> {
    ///     let reservation = auth.reserve(Scope::Reauthentication, &user).await?;
    ///     if pin != "123456" {
    ///         return Ok("wrong");
    ///     }
    ///     reservation.refund().await;
    ///     Ok("right")
    /// }
    /// ```
    pub async fn reserve(&self, scope: Scope, user: &User) -> Result<Reservation, AuthError> {
        let device = self.device_of(&self.sent_devices(), user);
        self.counted(scope, &user.username, device.as_ref()).await
    }

    pub(in crate::auth) async fn counted(
        &self,
        scope: Scope,
        account: &str,
        device: Option<&KnownDevice>,
    ) -> Result<Reservation, AuthError> {
        let attempt = Attempt::new(scope)
            .of_account(account)
            .at_address(self.connection.client)
            .by_device(device);
        let throttles = self.context.throttles().map_err(|_| no_throttles())?;
        let reserved = throttles.reserve(&attempt).await;
        if let Err(ThrottleError::Throttled { retry_after }) = &reserved {
            tracing::info!(
                target: "palisade::auth",
                threat = Threat::CredentialGuessing.id(),
                client = %self.connection.client,
                username = %one_word(account),
                %scope,
                seconds = retry_after.as_secs(),
                "throttled"
            );
        }
        Ok(reserved?)
    }

    /// What the browser says of who was logged in with it.
    pub(super) fn sent_devices(&self) -> SentDevices {
        let now = self.context.clock().now();
        self.context.devices().sent(self.cookies.as_ref(), now)
    }

    pub(super) fn device_of(&self, sent: &SentDevices, user: &User) -> Option<KnownDevice> {
        if sent.is_empty() {
            return None;
        }
        let (hasher, password) = (self.context.login_hasher(), user.password.expose());
        let hashes = std::iter::once(hasher.hash(password)).chain(hasher.fallback_hashes(password));
        sent.known_to(user.id, hashes)
    }

    /// Lets the account know this browser from now on.
    pub(super) async fn remember_device(
        &self,
        user: &User,
        known: Option<KnownDevice>,
    ) -> Result<(), AuthError> {
        let (sent, now) = (self.sent_devices(), self.context.clock().now());
        let known = known.or_else(|| self.device_of(&sent, user));
        let devices = self.context.devices();
        let cookie = devices.cookie(&sent, known.as_ref(), (user.id, &self.hash(user)), now);
        Ok(self.session.send_beside(cookie).await?)
    }
}
