//! `insecure-transport`, `exposed-diagnostics`: a staff area is reached from the wrong network or without a certificate.
//!
//! The attacker has everything but the place: the password of a member of staff.

use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::Method;
use testkit::{Authority, Visitor, certificate};

use super::Outcome;
use crate::{Person, Side, Target};

/// The one address that a site is told staff comes from. No attacker is there: all of them come from 127.0.0.1.
const OFFICE: &str = "127.0.0.9";

/// The staff area, a room of it that is easily forgotten, and one that asks for a certificate.
const STAFF: &str = "/staff/";
const ROOM: &str = "/staff/csp/";
const KEPT: &str = "/staff/throttle/";

/// Says in every header there is that the request comes from the office.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn claimed_office_address(side: Side) -> Result<Outcome> {
    let mut claims = vec![("Forwarded", format!("for={OFFICE}"))];
    for name in [
        "X-Forwarded-For",
        "X-Real-IP",
        "X-Client-IP",
        "Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X_Forwarded_For",
    ] {
        claims.push((name, OFFICE.to_owned()));
    }
    claimed(&open(side).await?, &claims).await
}

/// Says in headers that a proxy has verified a certificate.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn claimed_certificate(side: Side) -> Result<Outcome> {
    let claims = [
        ("X-SSL-Client-Verify", "SUCCESS"),
        ("X-Client-Verify", "SUCCESS"),
        ("SSL-Client-Verify", "SUCCESS"),
        ("X-SSL-Client-S-DN", "CN=keeper"),
        ("X-Forwarded-Client-Cert", "Subject=\"CN=keeper\""),
    ];
    let claims: Vec<_> = claims
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let (target, _) = behind_certificates(side).await?;
    claimed(&target, &claims).await
}

/// Opens a room of the staff area from elsewhere than the office, with nothing but the password.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn staff_password_from_elsewhere(side: Side) -> Result<Outcome> {
    password_alone(&open(side).await?).await
}

/// Opens a room of the staff area without the certificate that it asks for, with nothing but the password.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn staff_password_without_a_certificate(side: Side) -> Result<Outcome> {
    let (target, _) = behind_certificates(side).await?;
    password_alone(&target).await
}

async fn password_alone(target: &Target) -> Result<Outcome> {
    let mut keeper = keeper(target).await?;
    let reply = keeper.open(ROOM).await?;
    Ok(Outcome::new(
        reply.status.is_success(),
        format!("{ROOM} was answered with {}", reply.status),
    ))
}

/// Shows a certificate that an authority of the attacker's own has issued, in the name of staff.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn certificate_of_another_authority(side: Side) -> Result<Outcome> {
    let (target, _) = behind_certificates(side).await?;
    shown(&target, &Authority::new()?.issue_client("keeper")?).await
}

/// Shows a certificate that the authority of staff has issued: no attack, but what the others are held against.
///
/// # Errors
/// When it could not be shown.
pub async fn certificate_of_staff(side: Side) -> Result<Outcome> {
    let (target, of_staff) = behind_certificates(side).await?;
    shown(&target, &of_staff.issue_client("keeper")?).await
}

/// Shows the certificate of a server, which the attacker rightly has from the authority of staff, as a client's.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn certificate_of_a_server(side: Side) -> Result<Outcome> {
    let (target, of_staff) = behind_certificates(side).await?;
    let (certificate, key) = of_staff.issue_pem(&["keeper"])?;
    shown(&target, &format!("{certificate}{key}")).await
}

/// Opens a site whose staff comes from its office alone.
async fn open(side: Side) -> Result<Target> {
    match side {
        Side::WeakTwin => Target::weak_twin(&Authority::new()?).await,
        Side::Vault => Target::vault_with(&["--staff-network", OFFICE]).await,
    }
}

/// Opens a site whose staff needs certificates of the authority that is returned with it.
async fn behind_certificates(side: Side) -> Result<(Target, Authority)> {
    let of_staff = Authority::new()?;
    let target = match side {
        Side::WeakTwin => Target::weak_twin_with_certificates(&Authority::new()?).await?,
        Side::Vault => {
            let mut file = tempfile::NamedTempFile::new()?;
            file.write_all(of_staff.pem().as_bytes())?;
            let path = file.path().to_str().context("the file's name is no text")?;
            Target::vault_with(&["--client-ca", path]).await?
        }
    };
    Ok((target, of_staff))
}

/// Sends each claim by itself, since one that is not believed may spoil the others.
async fn claimed(target: &Target, claims: &[(&'static str, String)]) -> Result<Outcome> {
    let mut keeper = keeper(target).await?;
    let mut seen = Vec::new();
    for (name, value) in claims {
        let request = keeper.request(Method::GET, STAFF).header(*name, value);
        let reply = keeper.send(request, Bytes::new()).await?;
        let evidence = format!("{name}: {value} was answered with {}", reply.status);
        if reply.status.is_success() {
            return Ok(Outcome::new(true, evidence));
        }
        seen.push(evidence);
    }
    Ok(Outcome::new(false, seen.join("; ")))
}

/// Comes with a certificate, and the password beside it. A site that refuses the handshake refuses the attack.
async fn shown(target: &Target, held: &str) -> Result<Outcome> {
    let mut keeper = keeper(target).await?;
    let without = keeper.open(KEPT).await?.status;
    ensure!(
        !without.is_success(),
        "{KEPT} opens without a certificate, so that one proves nothing"
    );
    let config = certificate::showing(target.authority(), held)?;
    Ok(match keeper.showing(config).open(KEPT).await {
        Ok(reply) => Outcome::new(
            reply.status.is_success(),
            format!("{KEPT} was answered with {}", reply.status),
        ),
        Err(error) => Outcome::new(false, format!("the connection was refused: {error:#}")),
    })
}

/// Somebody logged in with the password of a member of staff.
async fn keeper(target: &Target) -> Result<Visitor> {
    let (username, password) = ("keeper", Person::VICTIM.password);
    let mut keeper = target.visitor()?;
    let fields = [
        ("username", username),
        ("email", ""),
        ("password1", password),
        ("password2", password),
    ];
    keeper.submit("/signup/", &fields).await?;
    if keeper.cookie("sessionid").is_none() {
        keeper
            .submit("/login/", &[("username", username), ("password", password)])
            .await?;
    }
    target.appoint(username)?;
    ensure!(target.is_admin(username)?, "{username} is no member of staff");
    ensure!(
        keeper.cookie("sessionid").is_some(),
        "{username} is not logged in"
    );
    Ok(keeper)
}
