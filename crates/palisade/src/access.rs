//! Who may reach a route: the rule that each route states, enforced before its handler runs (threat `broken-access-control`).
//!
//! A guard that a handler asks for (an extractor) can be forgotten in a handler. So a route says by itself who may reach it
//! ([`crate::Policies::public`], [`crate::Policies::logged_in`] …), and [`crate::Palisade::protect`] refuses a router in which a
//! route says nothing: deny by default (CWE-862). The rule is asked where Django's decorators are: after the CSRF decision, and
//! before the handler sees anything of the request. What was read for it is kept for the handler's extractors, so that a
//! rule and an extractor together ask the stores once.
//!
//! A route can ask for a recent login besides ([`crate::Policies::recent`]). That is asked after the rule: whoever may not reach the
//! route anyway is not asked for a password first.
//!
//! # Security
//!
//! A rule says who may reach the route, and not which rows they may see there. [`Access::LoggedIn`] on `/notes/{id}` lets every
//! user ask for every id; [`crate::Policies::owned`] asks whose it is.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::IntoResponse;
use futures_util::future::BoxFuture;
use http::{Request, Response, request};
use palisade_core::permission::PermissionName;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::auth::{LoggedIn, Recent, Staff};
use crate::rejection::Rejection;
use crate::rows::{LinkRule, RowRule};

/// Who may reach a route.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever is logged in (Django `login_required`).
    LoggedIn,
    /// Whoever is logged in and may enter the site's administration (Django `staff_member_required`).
    Staff,
    /// Whoever is logged in and has this permission (Django `permission_required` with `raise_exception`).
    Permission(PermissionName),
    /// Whoever is logged in and owns the row that the path names, or was granted it.
    Row(RowRule),
    /// Whoever holds a link to a row, which the path has as `{token}`; and is the user whom the link is bound to, if it is.
    Link(LinkRule),
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("everybody"),
            Self::LoggedIn => f.write_str("logged in"),
            Self::Staff => f.write_str("staff"),
            Self::Permission(name) => write!(f, "{name}"),
            Self::Row(rule) => write!(f, "{rule}"),
            Self::Link(rule) => write!(f, "{rule}"),
        }
    }
}

impl Access {
    /// Whether the rule has to know who is logged in.
    pub(crate) fn asks_for_a_user(&self) -> bool {
        *self != Self::Public
    }

    /// Lets the request through, or says why not.
    async fn admit(&self, parts: &mut request::Parts) -> Result<(), Rejection> {
        match self {
            Self::Public => {}
            Self::LoggedIn => {
                <LoggedIn as FromRequestParts<()>>::from_request_parts(parts, &()).await?;
            }
            Self::Staff => {
                <Staff as FromRequestParts<()>>::from_request_parts(parts, &()).await?;
            }
            Self::Permission(name) => {
                let user = <LoggedIn as FromRequestParts<()>>::from_request_parts(parts, &()).await?;
                user.require(name).await?;
            }
            Self::Row(rule) => rule.admit(parts).await?,
            Self::Link(rule) => rule.admit(parts).await?,
        }
        Ok(())
    }
}

/// Puts a rule before a handler.
#[derive(Clone, Debug)]
pub(crate) struct AccessLayer {
    access: Option<Arc<Access>>,
    recent: bool,
}

impl AccessLayer {
    /// Without a rule nobody is let through, though [`crate::Palisade::protect`] has refused such a route already.
    pub(crate) fn new(access: Option<Access>, recent: bool) -> Self {
        Self {
            access: access.map(Arc::new),
            recent,
        }
    }
}

impl<S> Layer<S> for AccessLayer {
    type Service = Admitted<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Admitted {
            access: self.access.clone(),
            recent: self.recent,
            inner,
        }
    }
}

/// A handler behind its rule.
#[derive(Clone, Debug)]
pub(crate) struct Admitted<S> {
    access: Option<Arc<Access>>,
    recent: bool,
    inner: S,
}

/// Lets the request through by the rule, and then by the time of the login; or says why not.
async fn admit(access: Option<&Access>, recent: bool, parts: &mut request::Parts) -> Result<(), Rejection> {
    let access = access.ok_or_else(|| Rejection::internal("the route does not say who may reach it"))?;
    access.admit(parts).await?;
    if recent {
        <Recent<LoggedIn> as FromRequestParts<()>>::from_request_parts(parts, &()).await?;
    }
    Ok(())
}

impl<S> Service<Request<Body>> for Admitted<S>
where
    S: Service<Request<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = AdmittedFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if self.access.as_deref() == Some(&Access::Public) && !self.recent {
            return AdmittedFuture::Open {
                inner: self.inner.call(request),
            };
        }
        let (access, recent) = (self.access.clone(), self.recent);
        // The service that was polled ready is the one to call; its clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        AdmittedFuture::Asked {
            answer: Box::pin(async move {
                let (mut parts, body) = request.into_parts();
                let mut response = match admit(access.as_deref(), recent, &mut parts).await {
                    Ok(()) => {
                        let Ok(response) = inner.call(Request::from_parts(parts, body)).await;
                        response.into_response()
                    }
                    Err(rejection) => rejection.into_response(),
                };
                if let Some(Access::Link(_)) = access.as_deref() {
                    LinkRule::keep_in(&mut response);
                }
                response
            }),
        }
    }
}

pin_project! {
    /// The answer of an [`Admitted`] handler.
    #[project = Projection]
    pub(crate) enum AdmittedFuture<F> {
        Open { #[pin] inner: F },
        Asked { answer: BoxFuture<'static, Response<Body>> },
    }
}

impl<F, R> Future for AdmittedFuture<F>
where
    F: Future<Output = Result<R, Infallible>>,
    R: IntoResponse,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::Open { inner } => {
                let Ok(response) = ready!(inner.poll(context));
                Poll::Ready(Ok(response.into_response()))
            }
            Projection::Asked { answer } => answer.as_mut().poll(context).map(Ok),
        }
    }
}
