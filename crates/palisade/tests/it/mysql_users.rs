//! Users, groups and permissions in MariaDB: what SQLite does, and what only servers have to be asked.

use std::time::Duration;

use palisade::auth::{MySqlSecondFactors, MySqlUsers, UserTable, UserTableError};
use palisade::mysql::{MySql, field};

use crate::second_factor::keeps_second_factors;
use crate::servers::{mariadb, mariadb_database, patient_mysql};
use crate::user_stores::UserDatabase;
use crate::{permissions, user_stores};

/// Of two names that differ in case, a table with this collation takes both.
const EXACT: Option<&str> = Some("utf8mb4_bin");

impl UserDatabase for MySql {
    type Users = MySqlUsers;

    const PEOPLE: &[&str] = &[
        "CREATE TABLE people_person (nr integer AUTO_INCREMENT PRIMARY KEY, email varchar(254) NOT NULL UNIQUE,
                                     secret varchar(128) NOT NULL, nick text, `group` text, seen datetime(6), boss bool NOT NULL)",
        "CREATE TABLE people_person_groups (id bigint PRIMARY KEY, person_id integer, group_id integer)",
        "CREATE TABLE people_person_user_permissions (id bigint PRIMARY KEY, person_id integer, permission_id integer)",
    ];

    async fn users(&self) -> MySqlUsers {
        MySqlUsers::new(self.clone()).await.unwrap()
    }

    async fn users_of(&self, table: &UserTable) -> Result<MySqlUsers, UserTableError> {
        MySqlUsers::of_table(self.clone(), table).await
    }

    async fn users_of_django(&self) -> Result<MySqlUsers, UserTableError> {
        MySqlUsers::of_django(self.clone()).await
    }

    async fn run(&self, sql: &'static str) {
        self.execute(sql, Vec::new()).await.unwrap();
    }
}

#[tokio::test]
async fn users_are_kept_in_mariadb() {
    let server = mariadb();
    user_stores::keeps_users(&mariadb_database(&server, "users", None).await).await;
}

#[tokio::test]
async fn djangos_tables_in_mariadb_are_waited_for() {
    let server = mariadb();
    user_stores::waits_for_djangos_tables(&mariadb_database(&server, "django", None).await).await;
}

#[tokio::test]
async fn users_are_kept_in_mariadb_where_case_matters() {
    let server = mariadb();
    user_stores::keeps_users(&mariadb_database(&server, "exact", EXACT).await).await;
}

/// The rights that docs/guide/stores.md asks for.
#[tokio::test]
async fn users_are_kept_in_mariadb_by_somebody_with_few_rights() {
    let server = mariadb();
    let database = mariadb_database(&server, "few", None).await;
    database.users().await;
    for grant in [
        "CREATE USER clerk@'127.0.0.1' IDENTIFIED BY 'a-clerk'",
        "GRANT SELECT, INSERT, UPDATE ON auth_user TO clerk@'127.0.0.1'",
        "GRANT SELECT ON auth_permission TO clerk@'127.0.0.1'",
        "GRANT SELECT ON auth_group TO clerk@'127.0.0.1'",
        "GRANT SELECT ON auth_group_permissions TO clerk@'127.0.0.1'",
        "GRANT SELECT ON auth_user_groups TO clerk@'127.0.0.1'",
        "GRANT SELECT ON auth_user_user_permissions TO clerk@'127.0.0.1'",
        "GRANT SELECT ON django_content_type TO clerk@'127.0.0.1'",
    ] {
        database.run(grant).await;
    }
    let owner = format!("palisade:{}", server.password());
    let address = server.url_of("few").replace(&owner, "clerk:a-clerk");
    user_stores::keeps_users(&patient_mysql().open(&address).await.unwrap()).await;
}

#[tokio::test]
async fn passwords_in_mariadb_are_gone_through_in_steps() {
    let server = mariadb();
    user_stores::goes_through_passwords(&mariadb_database(&server, "passwords", None).await).await;
}

#[tokio::test]
async fn users_of_an_address_are_found_in_mariadb() {
    let server = mariadb();
    user_stores::finds_users_by_email(&mariadb_database(&server, "emails", None).await).await;
}

#[tokio::test]
async fn mariadb_keeps_second_factors() {
    let server = mariadb();
    let factors = MySqlSecondFactors::new(mariadb_database(&server, "factors", None).await).await;
    keeps_second_factors(&factors.unwrap()).await;
}

#[tokio::test]
async fn of_two_who_sign_up_in_mariadb_at_once_one_has_the_name() {
    let server = mariadb();
    user_stores::one_of_two_has_the_name(&mariadb_database(&server, "two", EXACT).await).await;
}

/// Nobody can write the table until both have asked whether the name is taken, or one waits for the other.
#[tokio::test]
async fn of_two_who_sign_up_in_mariadb_while_it_is_slow_one_has_the_name() {
    let server = mariadb();
    let database = mariadb_database(&server, "slow", EXACT).await;
    let users = database.users().await;
    let mut holder = database.connection().await.unwrap();
    holder
        .execute("LOCK TABLES auth_user READ", Vec::new())
        .await
        .unwrap();
    let waiting = "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE()
                   AND (state LIKE 'Waiting for table%' OR state = 'User lock')";
    let both_wait = async {
        loop {
            let mut row = database.one(waiting, Vec::new()).await.unwrap().unwrap();
            if field::<i64>(&mut row, 0).unwrap() == 2 {
                break;
            }
        }
        holder.execute("UNLOCK TABLES", Vec::new()).await.unwrap();
    };
    let held = tokio::time::timeout(Duration::from_mins(1), both_wait);
    user_stores::one_of_two_has_the_name_however_long_it_takes(&users, held).await;
}

#[tokio::test]
async fn a_user_may_in_mariadb_what_was_granted() {
    let server = mariadb();
    permissions::a_route_is_reached_by_who_may(&mariadb_database(&server, "granted", None).await).await;
}

#[tokio::test]
async fn whoever_is_inactive_may_nothing_in_mariadb() {
    let server = mariadb();
    permissions::an_inactive_user_may_nothing(&mariadb_database(&server, "inactive", None).await).await;
}

#[tokio::test]
async fn users_may_live_in_a_table_of_ones_own_in_mariadb() {
    let server = mariadb();
    permissions::users_live_in_a_table_of_ones_own(&mariadb_database(&server, "people", None).await).await;
}

#[tokio::test]
async fn what_mariadb_lacks_is_told_at_start_and_all_at_once() {
    let server = mariadb();
    permissions::lacks_are_told_all_at_once(&mariadb_database(&server, "lacks", None).await).await;
}

#[tokio::test]
async fn columns_of_another_type_in_mariadb_are_told_at_start() {
    let server = mariadb();
    permissions::columns_of_another_type_are_told(&mariadb_database(&server, "types", None).await).await;
}

#[tokio::test]
async fn a_grant_to_a_user_of_another_table_is_no_grant_in_mariadb() {
    let server = mariadb();
    permissions::a_grant_to_anothers_user_is_none(&mariadb_database(&server, "others", None).await).await;
}
