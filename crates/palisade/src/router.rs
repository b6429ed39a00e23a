//! Routes with their policies: what a route says of itself beyond path and handler.
//!
//! A policy has to be known where the stack acts on it. A marker layer on a route is *inside* the stack, which has
//! decided by then; a list of path prefixes rots. So a [`Route`] carries its [`RoutePolicy`] as a value, the
//! [`Router`] keeps it until [`crate::Palisade::protect`] builds the stack, and only there each route gets its
//! endpoint guard. A plain [`axum::Router`] is welcome: its routes have the default policy, which is the strict one.
//!
//! The same table answers [`Router::report`]: which route is exempt from what, and why.

use std::convert::Infallible;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, Route as AxumRoute};
use tower_layer::Layer;
use tower_service::Service;

use crate::headers::{FramePolicy, InvalidAncestor};

/// What a route says of itself; the default is the strictest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoutePolicy {
    /// Why requests need no CSRF token here, if they do not.
    pub csrf_exempt: Option<&'static str>,
    /// Who may frame the page, if not what the settings say.
    pub frames: Option<FramePolicy>,
    /// The largest body in bytes, if not `data_upload_max_memory_size`.
    pub body_limit: Option<usize>,
}

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

/// Policies, said where the route is made: `post(hook).csrf_exempt("signed by the payment provider")`.
pub trait Policies<S>: Into<Route<S>> {
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

    /// Takes bodies of at most so many bytes here.
    fn body_limit(self, bytes: usize) -> Route<S> {
        let mut route = self.into();
        route.policy.body_limit = Some(bytes);
        route
    }
}

impl<S> Policies<S> for MethodRouter<S> where S: Clone {}
impl<S> Policies<S> for Route<S> {}

/// A router whose routes carry policies.
///
/// # Example
///
/// ```
/// use axum::routing::{get, post};
/// use palisade::router::{Policies, Router};
///
/// let app: Router = Router::new()
///     .route("/", get(async || "hello"))
///     .route("/hook", post(async || "thanks").csrf_exempt("signed by the payment provider"));
/// assert!(app.report().iter().any(|line| line.path == "/hook" && line.policy.csrf_exempt.is_some()));
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
    Plain(Box<axum::Router<S>>),
}

/// A line of the route report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteLine {
    /// The route's path with its parameters, as axum writes it.
    pub path: String,
    /// What the route says of itself.
    pub policy: RoutePolicy,
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

    /// Answers what no route answers.
    pub fn fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.fallback = Some(axum::routing::any(handler).into());
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
            Part::Plain(router) => Part::Plain(Box::new(router.with_state(state.clone()))),
        });
        Router {
            parts: parts.collect(),
            fallback: self.fallback.map(give),
        }
    }

    /// Lists the routes with their policies. Routes of a plain [`axum::Router`] are not known by path: they have the
    /// default policy.
    pub fn report(&self) -> Vec<RouteLine> {
        let mut lines = Vec::new();
        for part in &self.parts {
            match part {
                Part::Route(path, route) => lines.push(RouteLine {
                    path: path.clone(),
                    policy: route.policy.clone(),
                }),
                Part::Nest(prefix, router) => {
                    for RouteLine { path, policy } in router.report() {
                        // As axum does: the root of what is nested below `/sub` is `/sub`, and not `/sub/`.
                        let path = match prefix.strip_suffix('/') {
                            Some(prefix) => format!("{prefix}{path}"),
                            None if path == "/" => prefix.clone(),
                            None => format!("{prefix}{path}"),
                        };
                        lines.push(RouteLine { path, policy });
                    }
                }
                Part::Plain(_) => {}
            }
        }
        lines
    }

    /// Builds the axum router, with the layer that `endpoint` makes of a policy around every route and the fallback.
    pub(crate) fn build<L>(self, endpoint: &impl Fn(RoutePolicy) -> L) -> axum::Router<S>
    where
        L: Layer<AxumRoute> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let mut app = axum::Router::new();
        for part in self.parts {
            app = match part {
                Part::Route(path, route) => app.route(&path, route.methods.layer(endpoint(route.policy))),
                Part::Nest(path, router) => app.nest(&path, router.build(endpoint)),
                Part::Plain(router) => app.merge(router.layer(endpoint(RoutePolicy::default()))),
            };
        }
        match self.fallback {
            Some(route) => app.fallback(route.methods.layer(endpoint(route.policy))),
            None => app,
        }
    }
}

impl<S> From<axum::Router<S>> for Router<S> {
    fn from(router: axum::Router<S>) -> Self {
        Self {
            parts: vec![Part::Plain(Box::new(router))],
            fallback: None,
        }
    }
}
