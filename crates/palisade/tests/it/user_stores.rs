//! What every store of users must do, asked of each of ours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade::Sensitive;
use palisade::auth::{NewUser, Profile, SqliteUsers, UserStore, UserStoreError};
use palisade::sqlite::Sqlite;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds) + Duration::from_micros(123_456)
}

fn secret(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

fn named(username: &str) -> NewUser {
    NewUser {
        username: username.to_owned(),
        email: "ada@example.com".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lövelace 🦀".to_owned(),
    }
}

/// Everything that the trait promises.
pub(crate) async fn keeps_users(store: &dyn UserStore) {
    let ada = store.create(named("ada"), secret("hash-1"), at(0)).await.unwrap();
    assert!(!ada.is_staff && !ada.is_superuser && ada.is_active);
    assert_eq!((ada.last_login, ada.date_joined), (None, at(0)));

    let found = store.by_username("ada").await.unwrap().unwrap();
    assert_eq!((found.id, found.password.expose().as_str()), (ada.id, "hash-1"));
    assert_eq!(
        (found.last_name.as_str(), found.email.as_str()),
        ("Lövelace 🦀", "ada@example.com")
    );
    assert_eq!(found.date_joined, at(0), "to the microsecond");
    assert_eq!(store.by_id(ada.id).await.unwrap().unwrap().username, "ada");

    for nobody in [
        "Ada",
        "ada ",
        " ada",
        "äda",
        "ad",
        "",
        "ada\0",
        "%",
        "' OR '1'='1",
    ] {
        let found = store.by_username(nobody).await.unwrap();
        assert!(found.is_none(), "{nobody:?} is not ada");
    }
    for nobody in [0, -1, ada.id + 1, i64::MAX] {
        assert!(store.by_id(nobody).await.unwrap().is_none(), "{nobody}");
    }
    let taken = store.create(named("ada"), secret("hash-2"), at(0)).await;
    assert!(matches!(taken, Err(UserStoreError::NameTaken)), "{taken:?}");
    let bob = store.create(named("bob"), secret("hash-3"), at(0)).await.unwrap();
    assert_ne!(ada.id, bob.id);

    let replace = async |old: &str, new: &str| {
        let replaced = store.replace_password(ada.id, &secret(old), secret(new)).await;
        replaced.unwrap()
    };
    assert!(replace("hash-1", "hash-4").await);
    assert!(
        !replace("hash-1", "hash-5").await,
        "whoever changed it meanwhile wins"
    );
    assert!(!replace("HASH-4", "hash-6").await, "a hash is compared exactly");
    assert!(
        replace("hash-4", "hash-4").await,
        "the same again is a replacement too"
    );
    let found = store.by_id(ada.id).await.unwrap().unwrap();
    assert_eq!(found.password.expose(), "hash-4");

    store.logged_in(ada.id, at(60)).await.unwrap();
    let profile = Profile {
        first_name: "Augusta".to_owned(),
        last_name: "King".to_owned(),
        email: "king@example.com".to_owned(),
    };
    store.save_profile(ada.id, profile).await.unwrap();
    let found = store.by_id(ada.id).await.unwrap().unwrap();
    assert_eq!(found.last_login, Some(at(60)));
    assert_eq!(
        (found.first_name.as_str(), found.email.as_str()),
        ("Augusta", "king@example.com")
    );
    let bob = store.by_id(bob.id).await.unwrap().unwrap();
    assert_eq!(
        (bob.first_name.as_str(), bob.last_login),
        ("Ada", None),
        "nobody else is changed"
    );
}

#[tokio::test]
async fn users_are_kept_in_sqlite() {
    keeps_users(&SqliteUsers::new(Sqlite::in_memory().unwrap()).unwrap()).await;
}
