//! A table of users that is given the groups and permissions of another.

use palisade::auth::{SqliteUsers, UserStore, UserTable};
use palisade::core::permission::PermissionName;
use palisade::sqlite::{Sqlite, params};

/// The same site with a letter in another case: person 7 has what user 7 was granted.
#[tokio::test]
async fn auth_users_own_tables_are_no_other_tables_however_their_names_are_written() {
    let database = Sqlite::in_memory().unwrap();
    SqliteUsers::new(database.clone()).unwrap();
    database
        .write(|writer| {
            let run = |sql: &'static str| writer.execute(sql, params![]);
            run("CREATE TABLE person AS SELECT * FROM auth_user")?;
            run("INSERT INTO person (id, username, password, is_superuser, is_staff, is_active, email, first_name, last_name, date_joined)
                 VALUES (7, 'eve', '!', 0, 0, 1, '', '', '', '2026-01-01 00:00:00')")?;
            run("INSERT INTO auth_user (id, username, password, is_superuser, is_staff, is_active, email, first_name, last_name, date_joined)
                 VALUES (7, 'root', '!', 0, 0, 1, '', '', '', '2026-01-01 00:00:00')")?;
            run("INSERT INTO django_content_type (id, app_label, model) VALUES (901, 'notes', 'note')")?;
            run("INSERT INTO auth_permission (id, content_type_id, codename, name) VALUES (901, 901, 'change_note', 'x')")?;
            run("INSERT INTO auth_user_user_permissions (user_id, permission_id) VALUES (7, 901)")
        })
        .await
        .unwrap();
    let people = UserTable {
        table: "person".to_owned(),
        groups: "Auth_User_Groups".to_owned(),
        user_permissions: "Auth_User_User_Permissions".to_owned(),
        ..UserTable::default()
    };
    let users = SqliteUsers::of_table(database, &people).unwrap();
    let eve = users.by_id(7).await.unwrap().unwrap();
    let may = users.permissions(&eve).await.unwrap();
    assert!(
        !may.has_perm(&PermissionName::new("notes", "change_note")),
        "eve of `person` has what root of `auth_user` was granted"
    );
}
