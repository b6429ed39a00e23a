//! What is told, and what is used, when password keys are not as they should be.

use std::time::SystemTime;

use palisade::Sensitive;
use palisade::clock::Clock;
use palisade::core::password::{PasswordKey, PasswordKeys};
use palisade::password::Hashers;

/// Long enough for new hashes.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Nobody is told apart, whatever has become of the keys.
#[tokio::test]
async fn with_every_key_expired_a_name_that_exists_is_answered_as_one_that_does_not() {
    let key = PasswordKey::parse(
        "2026-11-01",
        &format!("secret = \"{SECRET}\"\nexpires = \"2026-11-02\""),
    )
    .unwrap();
    let password = Sensitive::new("a boat in a blue bottle".to_owned());
    let plain = Hashers::dangerous_cheap().hash(&password).await.unwrap();
    let hashers = Hashers::dangerous_cheap().with_keys(PasswordKeys::new([key]), Clock::system());
    let wrong = Sensitive::new("wrong".to_owned());
    let (there, not_there) = (
        hashers.verify(&wrong, Some(&plain)).await,
        hashers.verify(&wrong, None).await,
    );
    assert_eq!(there.is_ok(), not_there.is_ok(), "{there:?} and {not_there:?}");
}

/// What an administrator keeps beside the keys: `old.key`, `backup.key`.
#[test]
fn a_key_that_is_no_date_is_never_the_newest() {
    let key = |id: &str| PasswordKey::parse(id, &format!("secret = \"{SECRET} of {id}\""));
    let keys = ["2025-11-01", "2026-11-01", "old"]
        .map(key)
        .into_iter()
        .map(Result::unwrap);
    let keys = PasswordKeys::new(keys);
    assert_eq!(
        keys.newest(SystemTime::now()).unwrap().id(),
        "2026-11-01",
        "`o` comes after `2`"
    );
}

/// What was written by hand, or comes from django-sha2, can be guessed by who has stolen the table.
#[test]
fn nothing_new_is_hashed_under_a_secret_that_can_be_guessed() {
    let key = |id: &str, secret: &str| PasswordKey::parse(id, &format!("secret = \"{secret}\"")).unwrap();
    let keys = PasswordKeys::new([key("2026-11-01", SECRET), key("2027-11-01", "cheesecake")]);
    let now = SystemTime::now();
    assert_eq!(keys.newest(now).unwrap().id(), "2026-11-01");
    assert!(
        keys.find("2027-11-01", now).is_ok(),
        "what is hashed under it is verified"
    );
}
