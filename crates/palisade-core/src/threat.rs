//! The catalogue of threats.

/// One of the seventeen threats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[expect(missing_docs, reason = "stub")]
pub enum Threat {
    InsecureTransport,
    SensitiveDataExposure,
    MassAssignment,
    Clickjacking,
    SessionHijacking,
    CrossSiteRequestForgery,
    WeakPasswordStorage,
    BrokenAccessControl,
    CrossSiteScripting,
    SqlInjection,
    ExposedMedia,
    OutdatedSoftware,
    InertDefence,
    CredentialGuessing,
    UntrustedHost,
    ExposedDiagnostics,
    ResourceExhaustion,
}
