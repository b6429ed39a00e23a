//! Groups and permissions in Django's tables, and users in a table of one's own.

use std::time::{Duration, SystemTime};

use axum::routing::get;
use http::StatusCode;
use palisade::auth::{
    Auth, Can, LoggedIn, LoginStep, NewUser, Permitted, Profile, UserStore, UserTable, UserTableError,
};
use palisade::core::permission::PermissionName;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::session::MemorySessions;
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Rejection, Router, Sensitive};

use crate::client::{Client, settings};
use crate::login_site::PASSWORD;
use crate::user_stores::UserDatabase;

const CHANGE: PermissionName = PermissionName::new("notes", "change_note");

struct ChangeNote;

impl Permitted for ChangeNote {
    const NAME: PermissionName = CHANGE;
}

async fn site(database: &impl UserDatabase) -> Client {
    let users = database.users().await;
    let hashers = Hashers::dangerous_cheap();
    let encoded = hashers.hash(&Sensitive::new(PASSWORD.to_owned())).await.unwrap();
    let new = NewUser {
        username: "ann".to_owned(),
        ..NewUser::default()
    };
    users
        .create(new, Sensitive::new(encoded), SystemTime::now())
        .await
        .unwrap();
    let log_in = async |auth: Auth| -> Result<&'static str, Rejection> {
        let user = auth
            .authenticate("ann", &Sensitive::new(PASSWORD.to_owned()))
            .await?;
        assert_eq!(auth.login(&user.unwrap()).await?, LoginStep::Done);
        Ok("in")
    };
    let count = async |user: LoggedIn| -> Result<String, Rejection> {
        Ok(user.permissions().await?.granted().count().to_string())
    };
    let router = Router::new()
        .route("/in", get(log_in))
        .route("/count", get(count))
        .route("/edit", get(async |_: Can<ChangeNote>| "edited"));
    let app = Palisade::new(settings())
        .with_sessions(MemorySessions::new())
        .with_users_and(users, hashers, PasswordPolicy::default())
        .protect(router.public())
        .unwrap();
    Client::new(&app)
}

/// A permission, and the same code of another application.
const PERMISSIONS: [&str; 2] = [
    "INSERT INTO django_content_type (id, app_label, model) VALUES (1, 'notes', 'note'), (2, 'other', 'note')",
    "INSERT INTO auth_permission (id, content_type_id, codename, name)
     VALUES (1, 1, 'change_note', ''), (2, 2, 'change_note', '')",
];

pub(crate) async fn a_route_is_reached_by_who_may(database: &impl UserDatabase) {
    let client = site(database).await;
    let refused =
        async |why: &str| assert_eq!(client.get("/edit").await.status, StatusCode::FORBIDDEN, "{why}");
    assert_eq!(client.get("/edit").await.status, StatusCode::UNAUTHORIZED);
    client.get("/in").await;
    refused("nothing is granted").await;

    for sql in PERMISSIONS {
        database.run(sql).await;
    }
    database
        .run("INSERT INTO auth_user_user_permissions (id, user_id, permission_id) VALUES (1, 1, 2)")
        .await;
    refused("the same code of another application").await;

    database
        .run("INSERT INTO auth_group (id, name) VALUES (7, 'editors')")
        .await;
    database
        .run("INSERT INTO auth_group_permissions (id, group_id, permission_id) VALUES (1, 7, 1)")
        .await;
    refused("not in the group").await;
    database
        .run("INSERT INTO auth_user_groups (id, user_id, group_id) VALUES (1, 1, 7)")
        .await;
    assert_eq!(client.get("/edit").await.text, "edited");
    assert_eq!(client.get("/count").await.text, "2");

    database.run("DELETE FROM auth_user_groups").await;
    refused("taken away").await;
    database
        .run("UPDATE auth_user_user_permissions SET permission_id = 1")
        .await;
    assert_eq!(client.get("/edit").await.text, "edited", "granted to the user");
    database.run("DELETE FROM auth_user_user_permissions").await;
    refused("taken away from the user").await;
    database.run("UPDATE auth_user SET is_superuser = true").await;
    assert_eq!(client.get("/edit").await.text, "edited");
    assert_eq!(client.get("/count").await.text, "2", "everything that there is");
    database.run("UPDATE auth_user SET is_active = false").await;
    assert_eq!(client.get("/edit").await.status, StatusCode::UNAUTHORIZED);
}

/// Whoever is inactive may nothing, whatever was granted.
pub(crate) async fn an_inactive_user_may_nothing(database: &impl UserDatabase) {
    let users = database.users().await;
    let new = NewUser {
        username: "ann".to_owned(),
        ..NewUser::default()
    };
    let ann = users
        .create(new, Sensitive::new("hash".to_owned()), SystemTime::now())
        .await
        .unwrap();
    for sql in PERMISSIONS {
        database.run(sql).await;
    }
    database
        .run("INSERT INTO auth_user_user_permissions (id, user_id, permission_id) VALUES (1, 1, 1)")
        .await;
    assert!(users.permissions(&ann).await.unwrap().has_perm(&CHANGE));
    database
        .run("UPDATE auth_user SET is_active = false, is_superuser = true")
        .await;
    let ann = users.by_id(ann.id).await.unwrap().unwrap();
    let permissions = users.permissions(&ann).await.unwrap();
    assert!(!permissions.has_perm(&CHANGE) && permissions.granted().count() == 0);
}

fn people() -> UserTable {
    let own = str::to_owned;
    UserTable {
        table: own("people_person"),
        id: own("nr"),
        username: own("email"),
        email: own("email"),
        password: own("secret"),
        last_login: own("seen"),
        is_superuser: own("boss"),
        is_staff: String::new(),
        is_active: String::new(),
        first_name: own("nick"),
        // A word of SQL, which is a name only in quotes.
        last_name: own("group"),
        date_joined: String::new(),
        groups: own("people_person_groups"),
        user_permissions: own("people_person_user_permissions"),
        user_id: own("person_id"),
    }
}

async fn with_people<D: UserDatabase>(database: &D) -> &D {
    for sql in D::PEOPLE {
        database.run(sql).await;
    }
    database
}

fn ann() -> NewUser {
    NewUser {
        username: "ann@example.com".to_owned(),
        ..NewUser::default()
    }
}

pub(crate) async fn users_live_in_a_table_of_ones_own(database: &impl UserDatabase) {
    database.users().await;
    let users = with_people(database).await.users_of(&people()).await.unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    let hash = |text: &str| Sensitive::new(text.to_owned());
    let id = users.create(ann(), hash("one"), now).await.unwrap().id;
    users.logged_in(id, now).await.unwrap();
    assert!(
        users
            .replace_password(id, &hash("one"), hash("two"))
            .await
            .unwrap()
    );
    let profile = Profile {
        email: "ann@shop.example".to_owned(),
        first_name: "Ann".to_owned(),
        last_name: "Example".to_owned(),
    };
    users.save_profile(id, profile).await.unwrap();
    // The address is the name to log in with: a profile does not change that.
    let ann = users.by_username("ann@example.com").await.unwrap().unwrap();
    assert_eq!(
        (ann.id, ann.email.as_str(), ann.first_name.as_str()),
        (id, "ann@example.com", "Ann")
    );
    assert_eq!(
        (ann.password.expose().as_str(), ann.last_login),
        ("two", Some(now))
    );
    assert_eq!(ann.last_name, "Example");
    assert!(ann.is_active && !ann.is_staff && !ann.is_superuser);
    database.run("UPDATE people_person SET nick = NULL").await;
    let nameless = users.by_id(id).await.unwrap().unwrap();
    assert_eq!(nameless.first_name, "", "no name is an empty one");

    for sql in PERMISSIONS {
        database.run(sql).await;
    }
    assert!(!users.permissions(&ann).await.unwrap().has_perm(&CHANGE));
    let grant = "INSERT INTO people_person_user_permissions (id, person_id, permission_id) SELECT 1, nr, 1 FROM people_person";
    database.run(grant).await;
    assert!(users.permissions(&ann).await.unwrap().has_perm(&CHANGE));
}

pub(crate) async fn lacks_are_told_all_at_once(database: &impl UserDatabase) {
    let table = UserTable {
        password: "password".to_owned(),
        groups: "people_groups".to_owned(),
        ..people()
    };
    let error = with_people(database).await.users_of(&table).await.unwrap_err();
    let told = error.to_string();
    for lack in [
        "the column password of people_person",
        "the table people_groups",
        "the table auth_permission",
    ] {
        assert!(told.contains(lack), "{told}");
    }
    for hostile in ["auth_user\" WHERE 1=1 --", "auth_user` WHERE 1=1 -- "] {
        let hostile = UserTable {
            table: hostile.to_owned(),
            ..people()
        };
        let error = database.users_of(&hostile).await.unwrap_err();
        assert!(matches!(error, UserTableError::Names(_)), "{error}");
    }
}

/// Where columns have types, a wrong one is told at start, and not by the first who logs in.
#[cfg(all(feature = "mysql", feature = "postgres"))]
pub(crate) async fn columns_of_another_type_are_told(database: &impl UserDatabase) {
    let table = UserTable {
        id: "email".to_owned(),
        is_superuser: "nick".to_owned(),
        last_login: "nr".to_owned(),
        groups: String::new(),
        ..people()
    };
    let error = with_people(database).await.users_of(&table).await.unwrap_err();
    let told = error.to_string();
    for lack in [
        "a whole number in the column email of people_person, which is ",
        "a boolean in the column nick",
        "a date with a time in the column nr",
    ] {
        assert!(told.contains(lack), "{told}");
    }
}

pub(crate) async fn a_grant_to_anothers_user_is_none(database: &impl UserDatabase) {
    database.users().await;
    // Whose groups and permissions these are is not said, so that the names are those of `auth_user`.
    let forgetful = UserTable {
        groups: UserTable::default().groups,
        user_permissions: UserTable::default().user_permissions,
        user_id: UserTable::default().user_id,
        ..people()
    };
    let users = with_people(database).await.users_of(&forgetful).await.unwrap();
    let password = Sensitive::new("hash".to_owned());
    let ann = users
        .create(ann(), password, SystemTime::UNIX_EPOCH)
        .await
        .unwrap();
    for sql in PERMISSIONS {
        database.run(sql).await;
    }
    let somebody_else =
        "INSERT INTO auth_user (id, password, is_superuser, username, last_name, email, is_staff, is_active, date_joined, first_name)
         VALUES (1, '', false, 'somebody else', '', '', false, true, '2026-01-01 00:00:00', '')";
    database.run(somebody_else).await;
    database
        .run("INSERT INTO auth_user_user_permissions (id, user_id, permission_id) VALUES (1, 1, 1)")
        .await;
    assert_eq!(ann.id, 1);
    assert!(!users.permissions(&ann).await.unwrap().has_perm(&CHANGE));
}

#[tokio::test]
async fn a_route_with_a_permission_is_reached_by_who_has_it_only() {
    a_route_is_reached_by_who_may(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn whoever_is_inactive_may_nothing() {
    an_inactive_user_may_nothing(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn users_may_live_in_a_table_of_ones_own() {
    users_live_in_a_table_of_ones_own(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn what_the_database_lacks_is_told_at_start_and_all_at_once() {
    lacks_are_told_all_at_once(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn a_grant_to_a_user_of_another_table_is_no_grant() {
    a_grant_to_anothers_user_is_none(&Sqlite::in_memory().unwrap()).await;
}
