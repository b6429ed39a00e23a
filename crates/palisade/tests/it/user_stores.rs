//! What every store of users must do, asked of each of ours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade::Sensitive;
use palisade::auth::{
    NewUser, PasswordTable, Profile, SqliteUsers, UserStore, UserStoreError, UserTable, UserTableError,
};
use palisade::sqlite::{Sqlite, SqliteError};

use crate::log::Log;

/// An empty database, to keep users in.
pub(crate) trait UserDatabase {
    type Users: PasswordTable + Clone;

    /// What makes the tables of a user model of one's own.
    const PEOPLE: &[&str];

    /// Users in Django's tables, which are made.
    async fn users(&self) -> Self::Users;

    /// Users in another table.
    async fn users_of(&self, table: &UserTable) -> Result<Self::Users, UserTableError>;

    /// Users in Django's tables, which Django has made.
    async fn users_of_django(&self) -> Result<Self::Users, UserTableError>;

    /// Runs a statement that is the same in every dialect.
    async fn run(&self, sql: &'static str);
}

impl UserDatabase for Sqlite {
    type Users = SqliteUsers;

    const PEOPLE: &[&str] = &[
        "CREATE TABLE people_person (nr INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, secret TEXT NOT NULL,
                                     nick TEXT, \"group\" TEXT, seen TEXT, boss BOOL NOT NULL)",
        "CREATE TABLE people_person_groups (id INTEGER PRIMARY KEY, person_id INTEGER, group_id INTEGER)",
        "CREATE TABLE people_person_user_permissions (id INTEGER PRIMARY KEY, person_id INTEGER, permission_id INTEGER)",
    ];

    async fn users(&self) -> SqliteUsers {
        SqliteUsers::new(self.clone()).unwrap()
    }

    async fn users_of(&self, table: &UserTable) -> Result<SqliteUsers, UserTableError> {
        SqliteUsers::of_table(self.clone(), table)
    }

    async fn users_of_django(&self) -> Result<SqliteUsers, UserTableError> {
        SqliteUsers::of_django(self.clone())
    }

    async fn run(&self, sql: &'static str) {
        let done: Result<usize, SqliteError> = self.write(move |writer| writer.execute(sql, [])).await;
        done.unwrap();
    }
}

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
pub(crate) async fn keeps_users(database: &impl UserDatabase) {
    let store = &database.users().await;
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
    for same in ["ada", "Ada", "ADA"] {
        let taken = store.create(named(same), secret("hash-2"), at(0)).await;
        assert!(matches!(taken, Err(UserStoreError::NameTaken)), "{taken:?}");
    }
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
    let permissions = store.permissions(&bob).await.unwrap();
    assert_eq!(permissions.granted().count(), 0, "nothing is granted to bob");
}

/// An address finds its users and nobody whose address only looks like it.
pub(crate) async fn finds_users_by_email(database: &impl UserDatabase) {
    let store = &database.users().await;
    for (name, email) in [
        ("ada", "ada@example.com"),
        ("ada2", "Ada@EXAMPLE.com"),
        ("dotless", "mıke@example.com"),
        ("accent", "âda@example.com"),
        ("nobody", ""),
    ] {
        let user = NewUser {
            email: email.to_owned(),
            ..named(name)
        };
        store.create(user, secret("hash"), at(0)).await.unwrap();
    }
    let found = async |email: &str| -> Vec<String> {
        let found = store.by_email(email).await.unwrap();
        found.into_iter().map(|user| user.username).collect()
    };
    for email in ["ada@example.com", "ADA@example.COM"] {
        assert_eq!(found(email).await, ["ada", "ada2"], "{email}");
    }
    assert_eq!(found("mıke@example.com").await, ["dotless"]);
    for nobodys in [
        "mike@example.com",
        "MIKE@example.com",
        "",
        "ada@example.com ",
        "%",
        "a_a@example.com",
        "ada@example.com\0",
        "' OR '1'='1",
    ] {
        assert!(found(nobodys).await.is_empty(), "{nobodys:?}");
    }
    for number in 0..30 {
        let user = NewUser {
            email: "many@example.com".to_owned(),
            ..named(&format!("many{number}"))
        };
        store.create(user, secret("hash"), at(0)).await.unwrap();
    }
    assert_eq!(
        found("many@example.com").await.len(),
        20,
        "nobody can have mails sent by the thousand"
    );
}

/// Whoever goes through all passwords sees each once, in bounded steps.
pub(crate) async fn goes_through_passwords(database: &impl UserDatabase) {
    let store = database.users().await;
    for name in ["ada", "bob", "eve"] {
        let hash = secret(&format!("hash of {name}"));
        store.create(named(name), hash, at(0)).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), i64::MIN);
    loop {
        let page = store.stored_passwords(after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = last.id;
        seen.extend(page.iter().map(|stored| stored.password.expose().clone()));
    }
    assert_eq!(seen, ["hash of ada", "hash of bob", "hash of eve"]);
}

/// Tables that are made in Django's place stop its `migrate`, and those of another database have nobody of its users.
pub(crate) async fn waits_for_djangos_tables(database: &impl UserDatabase) {
    for _again in 0..2 {
        let Err(error) = database.users_of_django().await else {
            panic!("taken for Django's");
        };
        let told = error.to_string();
        assert!(
            matches!(error, UserTableError::NotMigrated(_)) && told.contains("the table auth_user,"),
            "{told}"
        );
        assert!(told.contains("python manage.py migrate"), "{told}");
    }
    let (log, guard) = Log::begin();
    database.users().await;
    for table in ["auth_user", "django_content_type"] {
        let told = log.text();
        let made = |line: &str| line.contains("made the table") && line.contains(table);
        assert!(told.lines().any(made), "{table} is made without a word: {told}");
    }
    drop(guard);
    let (log, _guard) = Log::begin();
    database.users().await;
    let store = database.users_of_django().await.unwrap();
    assert!(!log.text().contains("made the table"), "{}", log.text());
    store.create(named("ada"), secret("hash"), at(0)).await.unwrap();
}

/// Of those who sign up at the same time with names that differ in case only, one has the name.
pub(crate) async fn one_of_two_has_the_name(database: &impl UserDatabase) {
    let store = database.users().await;
    for (one, other) in [("ada", "Ada"), ("BOB", "bob"), ("eve", "eve")] {
        let sign_up = async |name| store.create(named(name), secret("hash"), at(0)).await;
        let (first, second) = tokio::join!(sign_up(one), sign_up(other));
        assert_eq!(
            usize::from(first.is_ok()) + usize::from(second.is_ok()),
            1,
            "{one}"
        );
        for failed in [first, second].into_iter().filter_map(Result::err) {
            assert!(matches!(failed, UserStoreError::NameTaken), "{failed:?}");
        }
    }
}

/// As above, while `held` keeps them both from being written until both are at it.
pub(crate) async fn one_of_two_has_the_name_however_long_it_takes(store: &impl UserStore, held: impl Future) {
    let sign_up = async |name| store.create(named(name), secret("hash"), at(0)).await;
    let (first, second, _) = tokio::join!(sign_up("ada"), sign_up("Ada"), held);
    assert!(first.is_ok() != second.is_ok(), "{first:?}, {second:?}");
}

#[tokio::test]
async fn users_are_kept_in_sqlite() {
    keeps_users(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn passwords_in_sqlite_are_gone_through_in_steps() {
    goes_through_passwords(&Sqlite::in_memory().unwrap()).await;
    finds_users_by_email(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn of_two_who_sign_up_in_sqlite_at_once_one_has_the_name() {
    one_of_two_has_the_name(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn djangos_tables_in_sqlite_are_waited_for() {
    // In a file: of tables that go with the process nothing is said.
    let folder = tempfile::tempdir().unwrap();
    waits_for_djangos_tables(&Sqlite::open(folder.path().join("django.sqlite3")).unwrap()).await;
}
