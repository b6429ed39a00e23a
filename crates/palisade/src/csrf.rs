//! Cross-site request forgery protection: Django's whole decision.

/// Vouches that a request has passed the check, or is exempt from it. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Proof(());

impl Proof {
    /// Vouches for a request.
    #[cfg_attr(not(test), expect(dead_code, reason = "the guard that makes it is to come"))]
    pub(crate) fn passed() -> Self {
        Self(())
    }
}
