//! The weak twin as a target.

use anyhow::{Context, Result};
use testkit::{Authority, WeakTwin};

use super::{Site, Target};

const HOST: &str = "weak.test";

pub(super) async fn open(authority: &Authority) -> Result<Target> {
    reached(WeakTwin::start(authority, HOST).await?, authority)
}

pub(super) async fn open_with_certificates(authority: &Authority) -> Result<Target> {
    reached(
        WeakTwin::start_with_certificates(authority, HOST).await?,
        authority,
    )
}

fn reached(twin: WeakTwin, authority: &Authority) -> Result<Target> {
    Ok(Target {
        host: HOST,
        secure: twin.address(),
        in_clear: twin.in_clear().address(),
        raw: twin.by_hand(),
        fingerprint: twin
            .site()
            .fingerprint()
            .context("the weak twin has no certificate")?,
        certified: HOST,
        authority: authority.pem(),
        site: Site::WeakTwin(twin),
    })
}
