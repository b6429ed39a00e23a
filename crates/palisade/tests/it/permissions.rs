//! Groups and permissions in Django's tables, and users in a table of one's own.

use std::time::{Duration, SystemTime};

use axum::routing::get;
use http::StatusCode;
use palisade::auth::{
    Auth, Can, LoggedIn, NewUser, Permitted, Profile, SqliteUsers, UserStore, UserTable, UserTableError,
};
use palisade::core::permission::PermissionName;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::session::MemorySessions;
use palisade::sqlite::{Migration, Sqlite, SqliteError, params};
use palisade::{Palisade, Rejection, Router, Sensitive};

use crate::client::{Client, settings};
use crate::login_site::PASSWORD;

const CHANGE: PermissionName = PermissionName::new("notes", "change_note");

struct ChangeNote;

impl Permitted for ChangeNote {
    const NAME: PermissionName = CHANGE;
}

async fn run(database: &Sqlite, sql: &'static str) {
    let done: Result<usize, SqliteError> = database.write(move |writer| writer.execute(sql, [])).await;
    done.unwrap();
}

async fn site(database: &Sqlite) -> Client {
    let users = SqliteUsers::new(database.clone()).unwrap();
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
        auth.login(&user.unwrap()).await?;
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
        .protect(router);
    Client::new(&app)
}

#[tokio::test]
async fn a_route_with_a_permission_is_reached_by_who_has_it_only() {
    let database = Sqlite::in_memory().unwrap();
    let client = site(&database).await;
    assert_eq!(client.get("/edit").await.status, StatusCode::UNAUTHORIZED);
    client.get("/in").await;
    assert_eq!(client.get("/edit").await.status, StatusCode::FORBIDDEN);

    run(
        &database,
        "INSERT INTO django_content_type VALUES (1, 'notes', 'note'), (2, 'other', 'note')",
    )
    .await;
    run(
        &database,
        "INSERT INTO auth_permission VALUES (1, 1, 'change_note', ''), (2, 2, 'change_note', '')",
    )
    .await;
    run(
        &database,
        "INSERT INTO auth_user_user_permissions VALUES (1, 1, 2)",
    )
    .await;
    assert_eq!(
        client.get("/edit").await.status,
        StatusCode::FORBIDDEN,
        "the same code of another application"
    );

    run(&database, "INSERT INTO auth_group VALUES (7, 'editors')").await;
    run(&database, "INSERT INTO auth_group_permissions VALUES (1, 7, 1)").await;
    assert_eq!(
        client.get("/edit").await.status,
        StatusCode::FORBIDDEN,
        "not in the group"
    );
    run(&database, "INSERT INTO auth_user_groups VALUES (1, 1, 7)").await;
    assert_eq!(client.get("/edit").await.text, "edited");
    assert_eq!(client.get("/count").await.text, "2");

    run(&database, "DELETE FROM auth_user_groups").await;
    assert_eq!(
        client.get("/edit").await.status,
        StatusCode::FORBIDDEN,
        "taken away"
    );
    run(&database, "UPDATE auth_user SET is_superuser = 1").await;
    assert_eq!(client.get("/edit").await.text, "edited");
    run(&database, "UPDATE auth_user SET is_active = 0").await;
    assert_eq!(client.get("/edit").await.status, StatusCode::UNAUTHORIZED);
}

const PEOPLE: &[Migration] = &[Migration {
    version: 1,
    name: "people",
    sql: "CREATE TABLE people_person (nr INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, seen TEXT,
                                      boss BOOL NOT NULL);
          CREATE TABLE people_person_groups (id INTEGER PRIMARY KEY, person_id INTEGER, group_id INTEGER);
          CREATE TABLE people_person_user_permissions (id INTEGER PRIMARY KEY, person_id INTEGER, permission_id INTEGER);",
}];

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
        first_name: String::new(),
        last_name: String::new(),
        date_joined: String::new(),
        groups: own("people_person_groups"),
        user_permissions: own("people_person_user_permissions"),
        user_id: own("person_id"),
    }
}

#[tokio::test]
async fn users_may_live_in_a_table_of_ones_own() {
    let database = Sqlite::in_memory().unwrap();
    SqliteUsers::new(database.clone()).unwrap();
    database.migrate(PEOPLE).unwrap();
    let users = SqliteUsers::of_table(database.clone(), &people()).unwrap();
    let new = NewUser {
        username: "ann@example.com".to_owned(),
        ..NewUser::default()
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    let hash = |text: &str| Sensitive::new(text.to_owned());
    let id = users.create(new, hash("one"), now).await.unwrap().id;
    users.logged_in(id, now).await.unwrap();
    assert!(
        users
            .replace_password(id, &hash("one"), hash("two"))
            .await
            .unwrap()
    );
    let profile = Profile {
        email: "ann@shop.example".to_owned(),
        ..Profile::default()
    };
    users.save_profile(id, profile).await.unwrap();
    // The address is the name to log in with: a profile does not change that.
    let ann = users.by_username("ann@example.com").await.unwrap().unwrap();
    assert_eq!((ann.id, ann.email.as_str()), (id, "ann@example.com"));
    assert_eq!(
        (ann.password.expose().as_str(), ann.last_login),
        ("two", Some(now))
    );
    assert!(ann.is_active && !ann.is_staff && !ann.is_superuser);

    run(
        &database,
        "INSERT INTO django_content_type VALUES (1, 'notes', 'note')",
    )
    .await;
    run(
        &database,
        "INSERT INTO auth_permission VALUES (1, 1, 'change_note', '')",
    )
    .await;
    assert!(!users.permissions(&ann).await.unwrap().has_perm(&CHANGE));
    let granted: Result<usize, SqliteError> = database
        .write(move |writer| {
            writer.execute(
                "INSERT INTO people_person_user_permissions VALUES (1, ?1, 1)",
                params![id],
            )
        })
        .await;
    granted.unwrap();
    assert!(users.permissions(&ann).await.unwrap().has_perm(&CHANGE));
}

#[tokio::test]
async fn what_the_database_lacks_is_told_at_start_and_all_at_once() {
    let database = Sqlite::in_memory().unwrap();
    database.migrate(PEOPLE).unwrap();
    let table = UserTable {
        password: "password".to_owned(),
        groups: "people_groups".to_owned(),
        ..people()
    };
    let error = SqliteUsers::of_table(database.clone(), &table).unwrap_err();
    let told = error.to_string();
    for lack in [
        "the column password of people_person",
        "the table people_groups",
        "the table auth_permission",
    ] {
        assert!(told.contains(lack), "{told}");
    }
    let hostile = UserTable {
        table: "auth_user\" WHERE 1=1 --".to_owned(),
        ..people()
    };
    let error = SqliteUsers::of_table(database, &hostile).unwrap_err();
    assert!(matches!(error, UserTableError::Names(_)), "{error}");
}

#[tokio::test]
async fn a_grant_to_a_user_of_another_table_is_no_grant() {
    let database = Sqlite::in_memory().unwrap();
    SqliteUsers::new(database.clone()).unwrap();
    database.migrate(PEOPLE).unwrap();
    // Whose groups and permissions these are is not said, so that the names are those of `auth_user`.
    let forgetful = UserTable {
        groups: UserTable::default().groups,
        user_permissions: UserTable::default().user_permissions,
        user_id: UserTable::default().user_id,
        ..people()
    };
    let users = SqliteUsers::of_table(database.clone(), &forgetful).unwrap();
    let new = NewUser {
        username: "ann@example.com".to_owned(),
        ..NewUser::default()
    };
    let password = Sensitive::new("hash".to_owned());
    let ann = users.create(new, password, SystemTime::UNIX_EPOCH).await.unwrap();
    for grant in [
        "INSERT INTO django_content_type VALUES (1, 'notes', 'note')",
        "INSERT INTO auth_permission VALUES (1, 1, 'change_note', 'Can change note')",
        "INSERT INTO auth_user (id, password, is_superuser, username, last_name, email, is_staff, is_active, date_joined, first_name)
         VALUES (1, '', 0, 'somebody else', '', '', 0, 1, '2026-01-01 00:00:00', '')",
        "INSERT INTO auth_user_user_permissions VALUES (1, 1, 1)",
    ] {
        run(&database, grant).await;
    }
    assert_eq!(ann.id, 1);
    let permissions = users.permissions(&ann).await.unwrap();
    assert!(!permissions.has_perm(&PermissionName::new("notes", "change_note")));
}
