//! Each attack of `attack::network` succeeds against the weak twin and fails against the vault.

use gauntlet::Target;
use gauntlet::attack::{Outcome, network};
use testkit::Authority;

/// Runs an attack against the weak twin, and against a vault with these options.
async fn on_both(options: &[&str], attack: impl AsyncFn(&Target) -> anyhow::Result<Outcome>) {
    let weak = Target::weak_twin(&Authority::new().unwrap()).await.unwrap();
    let outcome = attack(&weak).await.unwrap();
    assert!(outcome.succeeded, "the weak twin withstood: {}", outcome.evidence);
    let vault = Target::vault_with(options).await.unwrap();
    let outcome = attack(&vault).await.unwrap();
    assert!(
        !outcome.succeeded,
        "the vault fell: {}\n{}",
        outcome.evidence,
        vault.log()
    );
}

const OFFICE: [&str; 2] = ["--staff-network", network::OFFICE];

/// Runs an attack against a vault whose staff needs certificates; the authority is not the attacker's.
async fn behind_certificates(attack: impl AsyncFn(&Target) -> anyhow::Result<Outcome>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("staff.pem");
    std::fs::write(&file, Authority::new().unwrap().pem()).unwrap();
    on_both(&["--client-ca", file.to_str().unwrap()], attack).await;
}

#[tokio::test]
async fn claimed_address() {
    on_both(&OFFICE, network::claimed_address).await;
}

#[tokio::test]
async fn password_alone_from_elsewhere() {
    on_both(&OFFICE, network::password_alone).await;
}

#[tokio::test]
async fn claimed_certificate() {
    behind_certificates(network::claimed_certificate).await;
}

#[tokio::test]
async fn password_alone_without_a_certificate() {
    behind_certificates(network::password_alone).await;
}

#[tokio::test]
async fn certificate_of_another_authority() {
    behind_certificates(network::certificate_of_another_authority).await;
}

#[tokio::test]
async fn certificate_of_a_server() {
    behind_certificates(network::certificate_of_a_server).await;
}
