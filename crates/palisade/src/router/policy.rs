//! What a route says of itself, beside its path and its handlers.

use axum::routing::MethodRouter;

use palisade_core::network::{InvalidNetworks, NetworkList};

use super::Route;
use crate::access::Access;
use crate::auth::Permitted;
use crate::gate::Gate;
use crate::headers::{FramePolicy, InvalidAncestor};
use crate::redact::SensitiveParameters;
use crate::rows::{AtLeast, LinkRule, OwnedRow, RowRule};

/// What a route says of itself; the default is the strictest, and reaches nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoutePolicy {
    /// Who may reach it. A route that does not say so is not protected: [`crate::Palisade::protect`] refuses it.
    pub access: Option<Access>,
    /// Whether the login must be recent besides: `reauthenticate_after` ago at the most.
    pub recent: bool,
    /// From where, and with what certificate, it is reached at all.
    pub gate: Gate,
    /// Why requests need no CSRF token here, if they do not.
    pub csrf_exempt: Option<&'static str>,
    /// Who may frame the page, if not what the settings say.
    pub frames: Option<FramePolicy>,
    /// Why caches may keep what is made here for somebody who is logged in, if they may.
    pub cacheable: Option<&'static str>,
    /// Which of the form's fields stand in no report, whatever their type.
    pub sensitive_post_parameters: SensitiveParameters,
    /// The largest body in bytes, if not `data_upload_max_memory_size`.
    pub body_limit: Option<usize>,
}

/// Policies, said where the route is made: `post(hook).public().csrf_exempt("signed by the payment provider")`.
pub trait Policies<S>: Into<Route<S>> {
    /// Lets everybody reach this route.
    fn public(self) -> Route<S> {
        self.access(Access::Public)
    }

    /// Lets whoever is logged in reach this route (Django `login_required`): a browser is sent to the login page, a program gets 401.
    ///
    /// # Security
    ///
    /// It does not ask whose row the path names: [`Policies::owned`] does.
    fn logged_in(self) -> Route<S> {
        self.access(Access::LoggedIn)
    }

    /// Lets staff reach this route (Django `staff_member_required`); other users get 403.
    fn staff(self) -> Route<S> {
        self.access(Access::Staff)
    }

    /// Lets users with this permission reach this route (Django `permission_required`); other users get 403.
    fn can<P: Permitted>(self) -> Route<S> {
        self.access(Access::Permission(P::NAME))
    }

    /// Lets the owner of the row that the path names reach this route, and nobody else: everybody who is logged in and not its owner gets
    /// the 404 of [`Owned`](crate::rows::Owned), also where the handler asks for nothing.
    fn owned<T: OwnedRow>(self) -> Route<S> {
        self.access(Access::Row(RowRule::owned::<T>()))
    }

    /// Lets the owner of the row that the path names reach this route, and those to whom the owner granted this role at least.
    fn reach<T: OwnedRow, R: AtLeast>(self) -> Route<S> {
        self.access(Access::Row(RowRule::reach::<T, R>()))
    }

    /// Lets whoever holds a link to a row of this table reach this route, with or without an account: the path has its token as `{token}`. Everybody
    /// else gets the 404 of [`Linked`](crate::rows::Linked), also where the handler asks for nothing.
    ///
    /// What is answered here says `Cache-Control: no-store`, `Referrer-Policy: no-referrer` and `X-Robots-Tag: noindex`.
    fn linked<T: OwnedRow>(self) -> Route<S> {
        self.access(Access::Link(LinkRule::of::<T>()))
    }

    /// Asks for a recent login besides the rule who may reach this route: `.staff().recent()`. For what cannot be taken back.
    ///
    /// Whoever the rule lets through, and has not logged in or given the password once more within `reauthenticate_after`, is sent to
    /// `reauthenticate_url`, and comes back afterwards by `GET`; a program gets 401. [`crate::Palisade::protect`] refuses it beside
    /// [`public`](Self::public), which asks for no login.
    fn recent(self) -> Route<S> {
        let mut route = self.into();
        route.policy.recent = true;
        route
    }

    /// Says who may reach this route. The last word counts.
    fn access(self, access: Access) -> Route<S> {
        let mut route = self.into();
        route.policy.access = Some(access);
        route
    }

    /// Lets only clients in these networks reach this route; said twice, both lists must have the client. For everybody else there
    /// is nothing at its address: the router's fallback answers.
    ///
    /// The rule who may reach the route is asked besides. Behind a proxy the client is who the proxy says, if the proxy is listed in
    /// the setting `trusted_proxies`.
    ///
    /// # Security
    ///
    /// See [`crate::gate`].
    fn networks(self, networks: &NetworkList) -> Route<S> {
        let mut route = self.into();
        route.policy.gate.networks.push(networks.clone());
        route
    }

    /// Lets only clients in these networks and at these addresses reach this route, as [`networks`](Self::networks) does.
    ///
    /// # Errors
    ///
    /// [`InvalidNetworks`] names everything in the list that is no network.
    fn only_from<N: AsRef<str>>(
        self,
        networks: impl IntoIterator<Item = N>,
    ) -> Result<Route<S>, InvalidNetworks> {
        Ok(self.networks(&NetworkList::parse(networks)?))
    }

    /// Lets only clients with a certificate of the server's [`ClientCa`](crate::serve::ClientCa) reach this route; others get 403.
    /// A server without such an authority does not start.
    ///
    /// The rule who may reach the route is asked besides; a handler learns whose certificate it is from
    /// [`ClientCertificate`](crate::certificate::ClientCertificate).
    fn client_certificate_required(self) -> Route<S> {
        let mut route = self.into();
        route.policy.gate.client_certificate = true;
        route
    }

    /// Lets unsafe requests in without a CSRF token.
    ///
    /// # Security
    ///
    /// Another site can then make a logged-in browser send such a request. Exempt only what authenticates each request
    /// by itself, for example by a signature; the reason stands in the route report.
    fn csrf_exempt(self, reason: &'static str) -> Route<S> {
        let mut route = self.into();
        route.policy.csrf_exempt = Some(reason);
        route
    }

    /// Lets pages of the same origin frame this one.
    fn frame_same_origin(self) -> Route<S> {
        self.frames(FramePolicy::SameOrigin)
    }

    /// Lets nobody frame this page, whatever the settings say.
    fn frame_deny(self) -> Route<S> {
        self.frames(FramePolicy::Deny)
    }

    /// Lets everybody frame this page. The reason stands in the route report.
    ///
    /// # Security
    ///
    /// A hostile site can then lend a user's clicks to this page: let it have no button that matters.
    fn frame_exempt(self, reason: &'static str) -> Route<S> {
        self.frames(FramePolicy::Exempt(reason))
    }

    /// Lets the pages of these origins frame this one.
    ///
    /// # Errors
    ///
    /// [`InvalidAncestor`] for what is not an origin.
    fn frame_ancestors<O: Into<String>>(
        self,
        origins: impl IntoIterator<Item = O>,
    ) -> Result<Route<S>, InvalidAncestor> {
        Ok(self.frames(FramePolicy::ancestors(origins)?))
    }

    /// Gives the page its own frame policy.
    fn frames(self, policy: FramePolicy) -> Route<S> {
        let mut route = self.into();
        route.policy.frames = Some(policy);
        route
    }

    /// Lets caches keep what is made here for somebody who is logged in, which is `no-store` everywhere else unless the handler sends a
    /// `Cache-Control` of its own. The reason stands in the route report. It is one for what the route shows: a refusal or a redirect that is
    /// made for somebody is `no-store` here, too.
    ///
    /// # Security
    ///
    /// Say it where the answer is the same for everybody: what a shared cache keeps is served to the next person, and what
    /// the browser keeps is behind the back button after the logout.
    fn cacheable(self, reason: &'static str) -> Route<S> {
        let mut route = self.into();
        route.policy.cacheable = Some(reason);
        route
    }

    /// Keeps these fields of a form out of error reports (Django `sensitive_post_parameters`); all of them, if none is named.
    ///
    /// Fields that are `Sensitive` and names that tell (`password`, `api_key`) are kept out everywhere.
    fn sensitive_post_parameters<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Route<S> {
        let mut route = self.into();
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        route.policy.sensitive_post_parameters = if names.is_empty() {
            SensitiveParameters::All
        } else {
            SensitiveParameters::Listed(names)
        };
        route
    }

    /// Takes bodies of at most so many bytes here.
    fn body_limit(self, bytes: usize) -> Route<S> {
        let mut route = self.into();
        route.policy.body_limit = Some(bytes);
        route
    }
}

impl<S> Policies<S> for MethodRouter<S> where S: Clone {}
impl<S> Policies<S> for Route<S> {}
