//! Each attack of `attack::network` succeeds against the weak twin and fails against the vault.

use gauntlet::Target;
use gauntlet::attack::{Outcome, network};
use testkit::Authority;

/// Runs an attack against a weak twin that must fall, and against a vault that must not.
async fn on_both(weak: Target, vault: Target, attack: impl AsyncFn(&Target) -> anyhow::Result<Outcome>) {
    let outcome = attack(&weak).await.unwrap();
    assert!(outcome.succeeded, "the weak twin withstood: {}", outcome.evidence);
    let outcome = attack(&vault).await.unwrap();
    assert!(
        !outcome.succeeded,
        "the vault fell: {}\n{}",
        outcome.evidence,
        vault.log()
    );
}

/// Runs an attack against a vault whose staff comes from its office alone.
async fn from_elsewhere(attack: impl AsyncFn(&Target) -> anyhow::Result<Outcome>) {
    let weak = Target::weak_twin(&Authority::new().unwrap()).await.unwrap();
    let vault = Target::vault_with(&["--staff-network", network::OFFICE])
        .await
        .unwrap();
    on_both(weak, vault, attack).await;
}

/// Runs an attack against a vault whose staff needs certificates of this authority.
async fn behind_certificates(attack: impl AsyncFn(&Target, &Authority) -> anyhow::Result<Outcome>) {
    let of_staff = Authority::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("staff.pem");
    std::fs::write(&file, of_staff.pem()).unwrap();
    let weak = Target::weak_twin_with_certificates(&Authority::new().unwrap())
        .await
        .unwrap();
    let vault = Target::vault_with(&["--client-ca", file.to_str().unwrap()])
        .await
        .unwrap();
    on_both(weak, vault, async |target: &Target| {
        attack(target, &of_staff).await
    })
    .await;
}

#[tokio::test]
async fn claimed_address() {
    from_elsewhere(network::claimed_address).await;
}

#[tokio::test]
async fn password_alone_from_elsewhere() {
    from_elsewhere(network::password_alone).await;
}

#[tokio::test]
async fn claimed_certificate() {
    behind_certificates(async |target, _| network::claimed_certificate(target).await).await;
}

#[tokio::test]
async fn password_alone_without_a_certificate() {
    behind_certificates(async |target, _| network::password_alone(target).await).await;
}

#[tokio::test]
async fn certificate_of_another_authority() {
    behind_certificates(async |target, _| network::certificate_of_another_authority(target).await).await;
}

#[tokio::test]
async fn certificate_of_a_server() {
    behind_certificates(network::certificate_of_a_server).await;
}

/// What the attacks show is refused for what it is: with the right certificate the same visitor comes in.
#[tokio::test]
async fn certificate_of_staff_opens_the_area() {
    let of_staff = Authority::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("staff.pem");
    std::fs::write(&file, of_staff.pem()).unwrap();
    let vault = Target::vault_with(&["--client-ca", file.to_str().unwrap()])
        .await
        .unwrap();
    let outcome = network::certificate_of_staff(&vault, &of_staff).await.unwrap();
    assert!(outcome.succeeded, "{}\n{}", outcome.evidence, vault.log());
}
