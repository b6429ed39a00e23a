//! Rows of users in MariaDB: what SQLite does.

use std::time::Duration;

use palisade::mysql::MySql;
use palisade::rows::{MySqlRows, RowStore};

use crate::rows_site::{RowsDatabase, Site};
use crate::servers::{mariadb, mariadb_database};
use crate::{links, rows, rows_model};

impl RowsDatabase for MySql {
    const TABLES: [&str; 2] = [
        "CREATE TABLE it_note (id integer AUTO_INCREMENT PRIMARY KEY, owner integer NOT NULL, title varchar(200) NOT NULL, body longtext NOT NULL,
           starred bool NOT NULL, seen datetime(6), picture longblob, written bigint NOT NULL, `order` smallint,
           FOREIGN KEY (owner) REFERENCES auth_user (id) ON DELETE CASCADE)",
        // It takes letters of either case for the same, and a blank at the end for a difference.
        "CREATE TABLE it_paper (`key` varchar(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_nopad_ci PRIMARY KEY, owner bigint NOT NULL, words longtext NOT NULL)",
    ];

    async fn rows(&self) -> RowStore {
        MySqlRows::new(self.clone()).await.unwrap().into()
    }
}

#[tokio::test]
async fn rows_are_kept_in_mariadb() {
    let server = mariadb();
    rows::keeps_rows(&mariadb_database(&server, "rows_rows", None).await).await;
}

#[tokio::test]
async fn what_is_anothers_is_not_there_in_mariadb() {
    let server = mariadb();
    rows::hides_what_is_anothers(&mariadb_database(&server, "rows_hidden", None).await).await;
}

#[tokio::test]
async fn what_was_granted_is_shared_in_mariadb_and_nothing_else() {
    let server = mariadb();
    rows::shares_what_was_granted(&mariadb_database(&server, "rows_shared", None).await).await;
}

#[tokio::test]
async fn sharing_in_mariadb_does_not_tell_who_has_an_account() {
    let server = mariadb();
    rows::tells_nobody_who_has_an_account(&mariadb_database(&server, "rows_accounts", None).await).await;
}

#[tokio::test]
async fn grants_in_mariadb_go_with_the_row_and_with_the_user() {
    let server = mariadb();
    rows::grants_go_with_row_and_user(&mariadb_database(&server, "rows_go", None).await).await;
}

#[tokio::test]
async fn of_many_rows_added_to_mariadb_at_once_no_more_than_allowed_come_through() {
    let server = mariadb();
    rows::limits_hold_for_many_at_once(&mariadb_database(&server, "rows_limits", None).await).await;
}

#[tokio::test]
async fn rows_of_mariadb_may_have_texts_for_ids() {
    let server = mariadb();
    rows::texts_are_ids_too(&mariadb_database(&server, "rows_texts", None).await).await;
}

#[tokio::test]
async fn tables_are_looked_at_before_there_is_a_visitor_in_mariadb() {
    let server = mariadb();
    rows::looks_at_tables_early(&mariadb_database(&server, "rows_early", None).await).await;
}

#[tokio::test]
async fn nobody_reaches_more_in_mariadb_than_the_model_allows() {
    let server = mariadb();
    rows_model::follows_the_model(&mariadb_database(&server, "rows_model", None).await).await;
}

/// Of an edit that waits for the row, and a grant that is taken back meanwhile, the edit finds nothing granted any more.
#[tokio::test]
async fn an_edit_in_mariadb_does_not_come_after_its_grant_was_taken_back() {
    let server = mariadb();
    let database = mariadb_database(&server, "rows_race", None).await;
    let site = Site::on(&database).await;
    let [ann, bob, _] = &site.users[..] else {
        unreachable!()
    };
    ann.post("/", "title=first").await;
    ann.post("/1/grant", "name=bob&role=editor").await;

    let mut holder = database.connection().await.unwrap();
    holder.begin().await.unwrap();
    holder
        .one("SELECT id FROM it_note WHERE id = 1 FOR UPDATE", Vec::new())
        .await
        .unwrap();
    let waits = async || {
        // It can be seen there as long as it waits: what holds the row is ours.
        let sql = "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'UPDATE%it_note%'";
        while database.all(sql, Vec::new()).await.unwrap().is_empty() {}
    };
    let bob = bob.clone();
    let edit = tokio::spawn(async move { bob.post("/1/edit", "title=second").await.text });
    tokio::time::timeout(Duration::from_mins(1), waits())
        .await
        .unwrap();
    assert_eq!(ann.post("/1/revoke/bob", "").await.text, "done");
    holder.undo().await.unwrap();
    assert_eq!(edit.await.unwrap(), "too late");
    assert_eq!(ann.get("/1/own").await.text, "first");
}

#[tokio::test]
async fn link_in_mariadb_opens_for_who_holds_it() {
    let server = mariadb();
    links::opens_for_who_holds_it(&mariadb_database(&server, "links_open", None).await).await;
}

#[tokio::test]
async fn link_in_mariadb_that_has_ended_or_was_taken_back_opens_nothing() {
    let server = mariadb();
    links::ends_and_is_taken_back(&mariadb_database(&server, "links_end", None).await).await;
}

#[tokio::test]
async fn link_in_mariadb_that_is_bound_opens_for_its_user_alone() {
    let server = mariadb();
    links::opens_for_one_user(&mariadb_database(&server, "links_bound", None).await).await;
}

#[tokio::test]
async fn link_in_mariadb_goes_with_its_row_and_its_owner() {
    let server = mariadb();
    links::goes_with_row_and_owner(&mariadb_database(&server, "links_go", None).await).await;
}

#[tokio::test]
async fn link_in_mariadb_is_made_by_the_owner_alone_and_within_limits() {
    let server = mariadb();
    links::is_made_by_the_owner_within_limits(&mariadb_database(&server, "links_made", None).await).await;
}
