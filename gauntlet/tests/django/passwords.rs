//! Stored passwords of one side at the other, and their upgrade at login.

use anyhow::Result;
use gauntlet::beside::{Agreement, Oracle, Side};
use palisade::Sensitive;
use palisade::core::password::{Algorithm, identify};
use palisade::password::Hashers;
use serde_json::json;

use crate::everywhere::{alone_on_each_database, on_each_database, shared};
use crate::logins::named;

const PASSWORD: &str = "pässword mit ☃ und so weiter";

const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Argon2,
    Algorithm::Pbkdf2Sha256,
    Algorithm::Pbkdf2Sha1,
    Algorithm::BcryptSha256,
    Algorithm::Bcrypt,
    Algorithm::Scrypt,
];

fn preferring(algorithm: Algorithm) -> Hashers {
    let rest = ALGORITHMS.into_iter().filter(|other| *other != algorithm);
    Hashers::new([algorithm].into_iter().chain(rest).chain([Algorithm::Md5])).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hash_of_django_is_verified_here() -> Result<()> {
    let oracle = Oracle::alone(&Agreement::new())?;
    let (right, wrong) = (
        Sensitive::new(PASSWORD.to_owned()),
        Sensitive::new("x".to_owned()),
    );
    for algorithm in ALGORITHMS.into_iter().chain([Algorithm::Md5]) {
        let question = json!({"password": PASSWORD, "hasher": algorithm.to_string()});
        let encoded = oracle.text(question, "encode_password")?;
        let hashers = preferring(Algorithm::Argon2);
        assert!(hashers.verify(&right, Some(&encoded)).await?.correct, "{encoded}");
        assert!(
            !hashers.verify(&wrong, Some(&encoded)).await?.correct,
            "{encoded}"
        );
        if algorithm != Algorithm::Md5 {
            let verified = preferring(algorithm).verify(&right, Some(&encoded)).await?;
            assert!(!verified.must_update, "the parameters are Django's: {encoded}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hash_made_here_is_verified_by_django() -> Result<()> {
    let oracle = Oracle::alone(&Agreement::new())?;
    let right = Sensitive::new(PASSWORD.to_owned());
    for algorithm in ALGORITHMS {
        let encoded = preferring(algorithm).hash(&right).await?;
        let ask = |password| json!({"password": password, "encoded": encoded});
        assert!(oracle.is(ask(PASSWORD), "verify_password")?, "{encoded}");
        assert!(!oracle.is(ask("x"), "verify_password")?, "{encoded}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_upgrades_the_hash_to_what_that_side_prefers() -> Result<()> {
    let agreement = Agreement {
        hasher: "pbkdf2_sha256",
        ..Agreement::new()
    };
    alone_on_each_database(agreement, async |pair| {
        pair.oracle()
            .ask(json!({"username": "ann", "password": PASSWORD}), "make_user")?;
        let stored = || pair.oracle().text(json!({"username": "ann"}), "password_of");
        for (side, preferred) in [
            (Side::Palisade, Algorithm::Argon2),
            (Side::Django, Algorithm::Pbkdf2Sha256),
            (Side::Palisade, Algorithm::Argon2),
        ] {
            let mut ann = pair.traveller();
            ann.log_in(side, "ann", PASSWORD).await?;
            assert_eq!(identify(&stored()?)?, preferred, "after a login at {side:?}");
            for reader in [Side::Django, Side::Palisade] {
                assert_eq!(ann.who(reader).await?, "ann", "the login knows the new hash");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_of_all_ages_open_the_door_at_both_sides() -> Result<()> {
    let pairs = shared().await?;
    let made: Result<Vec<_>> = ["pbkdf2_sha1", "bcrypt_sha256", "scrypt"]
        .into_iter()
        .map(|hasher| {
            let question = json!({"password": PASSWORD, "hasher": hasher});
            pairs.first().unwrap().oracle().text(question, "encode_password")
        })
        .collect();
    let hashes = made?;
    on_each_database(async |pair| {
        for encoded in &hashes {
            for side in Side::EACH {
                let name = named("old");
                pair.oracle()
                    .ask(json!({"username": name, "password": null}), "make_user")?;
                pair.oracle()
                    .ask(json!({"username": name, "password": encoded}), "set_user")?;
                pair.traveller().log_in(side, &name, PASSWORD).await?;
                let upgraded = pair.oracle().text(json!({"username": name}), "password_of")?;
                assert_eq!(identify(&upgraded)?, Algorithm::Argon2);
            }
        }
        Ok(())
    })
    .await
}
