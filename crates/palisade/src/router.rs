//! Routes with their policies: what a route says of itself beyond path and handler.
//!
//! A policy has to be known where the stack acts on it. A marker layer on a route is *inside* the stack, which has
//! decided by then; a list of path prefixes rots. So a [`Route`] carries its [`RoutePolicy`] as a value, the
//! [`Router`] keeps it until [`crate::Palisade::protect`] builds the stack, and only there each route gets its
//! endpoint guard. A plain [`axum::Router`] is welcome: its routes have one policy together, the strict default.
//!
//! Who may reach a route is part of its policy, and no route is protected that does not say so. A rule can be said of many
//! routes at once: [`Router::logged_in`] and its sisters give it to those that have none yet.
//!
//! The same table answers [`crate::Protected::routes_report`]: who may reach which route, and which is exempt from what, and why.

mod policy;
mod report;

use std::convert::Infallible;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, Route as AxumRoute};
use palisade_core::network::{InvalidNetworks, NetworkList};
use tower_layer::Layer;
use tower_service::Service;

use crate::access::Access;
use crate::auth::Permitted;
use crate::gate::Elsewhere;
pub use policy::{Policies, RoutePolicy};
use report::{ANYTHING_ELSE, PLAIN_ROUTER};
pub use report::{RouteLine, RoutesReport};

/// A route's handlers and its policy.
#[derive(Clone, Debug)]
#[must_use = "a route answers nothing until it is given to a Router"]
pub struct Route<S = ()> {
    methods: MethodRouter<S>,
    policy: RoutePolicy,
}

impl<S> From<MethodRouter<S>> for Route<S> {
    fn from(methods: MethodRouter<S>) -> Self {
        Self {
            methods,
            policy: RoutePolicy::default(),
        }
    }
}

/// A router whose routes carry policies.
///
/// # Example
///
/// ```
/// use axum::routing::{get, post};
/// use palisade::router::{Policies, Router};
///
/// let notes: Router = Router::new()
///     .route("/", get(async || "my notes"))
///     .route("/{id}", get(async || "one of them"));
/// let app = Router::new()
///     .route("/", get(async || "hello").public())
///     .route("/hook", post(async || "thanks").public().csrf_exempt("signed by the payment provider"))
///     .nest("/notes", notes.logged_in());
/// assert_eq!(app.report()[1].policy.csrf_exempt, Some("signed by the payment provider"));
/// ```
#[derive(Debug)]
#[must_use = "a router serves nothing until it is protected and served"]
pub struct Router<S = ()> {
    parts: Vec<Part<S>>,
    fallback: Option<Route<S>>,
}

#[derive(Debug)]
enum Part<S> {
    Route(String, Route<S>),
    Nest(String, Router<S>),
    Plain(Box<axum::Router<S>>, RoutePolicy),
}

impl<S> Default for Router<S> {
    fn default() -> Self {
        Self {
            parts: Vec::new(),
            fallback: None,
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Router<S> {
    /// Makes a router without routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route; paths are axum's: `/notes/{id}`.
    ///
    /// # Panics
    ///
    /// As [`axum::Router::route`] does, but when the router is protected: for a path that is not one, or is there twice.
    pub fn route(mut self, path: &str, route: impl Into<Route<S>>) -> Self {
        self.parts.push(Part::Route(path.to_owned(), route.into()));
        self
    }

    /// Adds another router's routes.
    pub fn merge(mut self, other: impl Into<Self>) -> Self {
        let other = other.into();
        self.parts.extend(other.parts);
        self.fallback = self.fallback.or(other.fallback);
        self
    }

    /// Adds another router's routes below a path.
    pub fn nest(mut self, path: &str, other: impl Into<Self>) -> Self {
        self.parts.push(Part::Nest(path.to_owned(), other.into()));
        self
    }

    /// Answers what no route answers. Everybody may reach it.
    pub fn fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.fallback = Some(axum::routing::any(handler).public());
        self
    }

    /// Lets everybody reach those of the routes that do not say yet who may.
    pub fn public(self) -> Self {
        self.access(&Access::Public)
    }

    /// Lets whoever is logged in reach those of the routes that do not say yet who may.
    pub fn logged_in(self) -> Self {
        self.access(&Access::LoggedIn)
    }

    /// Lets staff reach those of the routes that do not say yet who may.
    pub fn staff(self) -> Self {
        self.access(&Access::Staff)
    }

    /// Lets users with this permission reach those of the routes that do not say yet who may.
    pub fn can<P: Permitted>(self) -> Self {
        self.access(&Access::Permission(P::NAME))
    }

    /// Says who may reach those of the routes that do not say so yet.
    pub fn access(self, access: &Access) -> Self {
        self.each_policy(&|policy| {
            policy.access.get_or_insert_with(|| access.clone());
        })
    }

    /// Asks for a recent login at the routes, beside what they ask themselves: see [`Policies::recent`]. A route for everybody has its
    /// place in another router, or is added afterwards.
    pub fn recent(self) -> Self {
        self.each_policy(&|policy| policy.recent = true)
    }

    /// Lets only clients in these networks reach the routes, beside what they ask themselves: see [`Policies::networks`].
    pub fn networks(self, networks: &NetworkList) -> Self {
        self.each_policy(&|policy| policy.gate.networks.push(networks.clone()))
    }

    /// Lets only clients in these networks and at these addresses reach the routes: see [`Policies::only_from`].
    ///
    /// # Errors
    ///
    /// [`InvalidNetworks`] names everything in the list that is no network.
    pub fn only_from<N: AsRef<str>>(
        self,
        networks: impl IntoIterator<Item = N>,
    ) -> Result<Self, InvalidNetworks> {
        Ok(self.networks(&NetworkList::parse(networks)?))
    }

    /// Lets only clients with a certificate reach the routes: see [`Policies::client_certificate_required`].
    pub fn client_certificate_required(self) -> Self {
        self.each_policy(&|policy| policy.gate.client_certificate = true)
    }

    /// Changes what every route says of itself; a fallback is no route.
    fn each_policy(mut self, change: &impl Fn(&mut RoutePolicy)) -> Self {
        self.parts = self
            .parts
            .into_iter()
            .map(|mut part| match &mut part {
                Part::Route(_, route) => {
                    change(&mut route.policy);
                    part
                }
                Part::Plain(_, policy) => {
                    change(policy);
                    part
                }
                Part::Nest(..) => match part {
                    Part::Nest(path, router) => Part::Nest(path, router.each_policy(change)),
                    part => part,
                },
            })
            .collect();
        self
    }

    /// Gives the handlers their state.
    pub fn with_state<T: Clone + Send + Sync + 'static>(self, state: S) -> Router<T> {
        let give = |route: Route<S>| Route {
            methods: route.methods.with_state(state.clone()),
            policy: route.policy,
        };
        let parts = self.parts.into_iter().map(|part| match part {
            Part::Route(path, route) => Part::Route(path, give(route)),
            Part::Nest(path, router) => Part::Nest(path, router.with_state(state.clone())),
            Part::Plain(router, policy) => Part::Plain(Box::new(router.with_state(state.clone())), policy),
        });
        Router {
            parts: parts.collect(),
            fallback: self.fallback.map(give),
        }
    }
}

impl Router {
    /// Builds the axum router, with the layer that `endpoint` makes of a policy around every route and the fallback. A route that hides
    /// from somebody has the answer of the fallback that stands nearest.
    pub(crate) fn build<L>(self, endpoint: &impl Fn(RoutePolicy, &Elsewhere) -> L) -> axum::Router
    where
        L: Layer<AxumRoute> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.build_below(endpoint, &Elsewhere::default())
    }

    fn build_below<L>(
        self,
        endpoint: &impl Fn(RoutePolicy, &Elsewhere) -> L,
        outside: &Elsewhere,
    ) -> axum::Router
    where
        L: Layer<AxumRoute> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let fallback = self
            .fallback
            .map(|route| route.methods.layer(endpoint(route.policy, &Elsewhere::default())));
        let elsewhere = fallback
            .clone()
            .map_or_else(|| outside.further_in(), Elsewhere::at);
        let mut app = axum::Router::new();
        for part in self.parts {
            app = match part {
                Part::Route(path, route) => {
                    app.route(&path, route.methods.layer(endpoint(route.policy, &elsewhere)))
                }
                Part::Nest(path, router) => app.nest(&path, router.build_below(endpoint, &elsewhere)),
                Part::Plain(router, policy) => app.merge(router.layer(endpoint(policy, &elsewhere))),
            };
        }
        match fallback {
            Some(fallback) => app.fallback(fallback),
            None => app,
        }
    }

    /// Lists the routes with their policies, as they were added. [`crate::Protected::routes_report`] prints them.
    pub fn report(&self) -> Vec<RouteLine> {
        let mut lines = Vec::new();
        let line = |path: &str, route: &Route| RouteLine {
            path: path.to_owned(),
            methods: report::methods(&route.methods),
            policy: route.policy.clone(),
        };
        for part in &self.parts {
            match part {
                Part::Route(path, route) => lines.push(line(path, route)),
                Part::Nest(prefix, router) => {
                    lines.extend(router.report().into_iter().map(|mut line| {
                        line.path = below(prefix, &line.path);
                        line
                    }));
                }
                Part::Plain(_, policy) => lines.push(RouteLine {
                    path: PLAIN_ROUTER.to_owned(),
                    methods: Vec::new(),
                    policy: policy.clone(),
                }),
            }
        }
        lines.extend(self.fallback.iter().map(|route| line(ANYTHING_ELSE, route)));
        lines
    }
}

/// A nested route's whole path.
fn below(prefix: &str, path: &str) -> String {
    // As axum does: the root of what is nested below `/sub` is `/sub`, and not `/sub/`.
    let bare = prefix.strip_suffix('/').unwrap_or(prefix);
    match path {
        "/" => prefix.to_owned(),
        path if path.starts_with('/') => format!("{bare}{path}"),
        in_brackets => format!("{bare}/ {in_brackets}"),
    }
}

impl<S> From<axum::Router<S>> for Router<S> {
    fn from(router: axum::Router<S>) -> Self {
        Self {
            parts: vec![Part::Plain(Box::new(router), RoutePolicy::default())],
            fallback: None,
        }
    }
}
