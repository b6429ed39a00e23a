//! What is told, and what is used, when password keys are not as they should be.

use std::time::SystemTime;

use palisade::password::Hashers;

/// Nobody is told apart, whatever has become of the keys.
#[tokio::test]
async fn with_every_key_expired_a_name_that_exists_is_answered_as_one_that_does_not() {
    use palisade::Sensitive;
    use palisade::clock::Clock;
    use palisade::core::password::{PasswordKey, PasswordKeys};

    let key = PasswordKey::parse("2026-11-01", "secret = \"s\"\nexpires = \"2026-11-02\"").unwrap();
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
    use palisade::core::password::{PasswordKey, PasswordKeys};

    let key = |id: &str| PasswordKey::parse(id, &format!("secret = \"secret of {id}\""));
    let keys = ["2025-11-01", "2026-11-01", "old"]
        .map(key)
        .into_iter()
        .filter_map(Result::ok);
    let keys = PasswordKeys::new(keys);
    assert_eq!(
        keys.newest(SystemTime::now()).unwrap().id(),
        "2026-11-01",
        "`o` comes after `2`"
    );
}
