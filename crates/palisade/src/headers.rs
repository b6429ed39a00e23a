//! Security headers and frame policy on every response (threats `clickjacking`, `cross-site-scripting`).
//!
//! A handler's own header is never overwritten: the guard sets what is absent, as Django's middlewares do.
//!
//! 1. `X-Content-Type-Options`, `Referrer-Policy`, `Cross-Origin-Opener-Policy`, `Cross-Origin-Resource-Policy`,
//!    `Permissions-Policy` and `X-XSS-Protection: 0` are the same on every response and are rendered once, at start.
//! 2. Frames: [`FramePolicy`] decides `X-Frame-Options` and CSP `frame-ancestors` *together*, so that they cannot
//!    contradict each other. The stack's policy holds unless the route has its own.
//! 3. `Content-Security-Policy`: a handler that asks for the [`CspNonce`] gets a policy with that nonce; every other
//!    response gets the one without, under which no inline script runs at all.
//! 4. With `secure_csp_report_uri`, both policies say where browsers report to, and `Reporting-Endpoints` gives the address its name;
//!    [`csp_report`] answers there.
//!
//! # Security
//!
//! Headers ask the browser for help; a browser without CSP is why templates must escape as well.

pub mod csp_report;
mod frame;
mod nonce;

pub use frame::{FramePolicy, InvalidAncestor};
pub use nonce::CspNonce;

use http::header::{CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, request, response};
use palisade_core::header::{
    ContentTypeOptions, CrossOriginOpenerPolicy, CrossOriginResourcePolicy, Csp, FrameOptions,
    PermissionsPolicy, ReferrerPolicy, ReportUri, SecurityHeader, XssProtection,
};
use palisade_core::settings::Settings;

use crate::guard::Guard;
use crate::rejection::Rejection;
use nonce::NonceCell;

/// Stamps the security headers.
#[derive(Clone, Debug)]
pub struct HeaderGuard {
    same: Vec<(HeaderName, HeaderValue)>,
    frames: FramePolicy,
    csp: Option<Policy>,
    report_only: Option<Policy>,
}

/// A policy, and its rendering for the common case: no nonce, the stack's own frame policy.
#[derive(Clone, Debug)]
struct Policy {
    csp: Csp,
    common: Option<HeaderValue>,
}

impl Policy {
    fn new(csp: Csp, frames: &FramePolicy) -> Self {
        let common = lasting(frames.ancestors_of(&csp).render(None));
        Self { csp, common }
    }

    fn value(&self, nonce: Option<&str>, frames: Option<&FramePolicy>) -> Option<HeaderValue> {
        match (nonce, frames) {
            (None, None) => self.common.clone(),
            (nonce, Some(frames)) => render(&frames.ancestors_of(&self.csp), nonce),
            (nonce, None) => render(&self.csp, nonce),
        }
    }
}

fn render(csp: &Csp, nonce: Option<&str>) -> Option<HeaderValue> {
    HeaderValue::try_from(csp.render(nonce)).ok()
}

impl Default for HeaderGuard {
    /// Every header at its safe default: no frames, no inline script, no referrer to other sites.
    fn default() -> Self {
        Self::build(
            [
                header(&ContentTypeOptions),
                header(&ReferrerPolicy::default()),
                header(&CrossOriginOpenerPolicy::default()),
                header(&CrossOriginResourcePolicy::default()),
                header(&PermissionsPolicy::default()),
                header(&XssProtection::Off),
            ],
            FramePolicy::Deny,
            Some(Csp::strict()),
            None,
        )
    }
}

impl HeaderGuard {
    /// Makes the guard that the settings ask for.
    pub fn from_settings(settings: &Settings) -> Self {
        let frames = match settings.x_frame_options {
            FrameOptions::SameOrigin => FramePolicy::SameOrigin,
            FrameOptions::Deny => FramePolicy::Deny,
        };
        let reports = settings.secure_csp_report_uri.as_ref();
        let reporting = |csp: Csp| match reports {
            Some(address) => csp.with_reports_to(address),
            None => csp,
        };
        Self::build(
            [
                settings
                    .secure_content_type_nosniff
                    .then(|| header(&ContentTypeOptions))
                    .flatten(),
                settings.secure_referrer_policy.as_ref().and_then(header),
                settings
                    .secure_cross_origin_opener_policy
                    .as_ref()
                    .and_then(header),
                settings
                    .secure_cross_origin_resource_policy
                    .as_ref()
                    .and_then(header),
                settings.permissions_policy.as_ref().and_then(header),
                header(&XssProtection::Off),
                reports.map(ReportUri::endpoints).as_ref().and_then(header),
            ],
            frames,
            settings.secure_csp.clone().map(reporting),
            settings.secure_csp_report_only.clone().map(reporting),
        )
    }

    fn build<const N: usize>(
        same: [Option<(HeaderName, HeaderValue)>; N],
        frames: FramePolicy,
        csp: Option<Csp>,
        report_only: Option<Csp>,
    ) -> Self {
        Self {
            same: same.into_iter().flatten().collect(),
            csp: csp.map(|csp| Policy::new(frames.ancestors_of(&csp), &frames)),
            report_only: report_only.map(|csp| Policy::new(csp, &frames)),
            frames,
        }
    }

    fn stamp_policies(&self, nonce: Option<&str>, frames: Option<&FramePolicy>, headers: &mut HeaderMap) {
        for (name, policy) in [
            (CONTENT_SECURITY_POLICY, &self.csp),
            (CONTENT_SECURITY_POLICY_REPORT_ONLY, &self.report_only),
        ] {
            if let Some(policy) = policy
                && !headers.contains_key(&name)
                && let Some(value) = policy.value(nonce, frames)
            {
                headers.insert(name, value);
            }
        }
    }
}

fn header<H: SecurityHeader>(value: &H) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_static(H::NAME), lasting(value.to_string())?))
}

/// A value that stays for the life of the process, for what is rendered once and stands on every response: copying any
/// other value touches a counter that all threads share.
pub(crate) fn lasting(text: String) -> Option<HeaderValue> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        Some(HeaderValue::from_static(text.leak()))
    } else {
        HeaderValue::try_from(text).ok()
    }
}

impl Guard for HeaderGuard {
    type Pass = NonceCell;

    fn admit(&self, request: &mut request::Parts) -> Result<NonceCell, Rejection> {
        let nonce = NonceCell::default();
        request.extensions.insert(nonce.clone());
        Ok(nonce)
    }

    fn release(&self, nonce: NonceCell, response: &mut response::Parts) {
        let frames = response.extensions.remove::<FramePolicy>();
        let headers = &mut response.headers;
        headers.reserve(self.same.len() + 4);
        for (name, value) in &self.same {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        if let Some(value) = frames.as_ref().unwrap_or(&self.frames).frame_options() {
            headers.entry(X_FRAME_OPTIONS).or_insert(value);
        }
        self.stamp_policies(nonce.used(), frames.as_ref(), headers);
    }
}

#[cfg(test)]
mod tests;
