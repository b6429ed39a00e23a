//! What a client may try to have PostgreSQL's connections closed, or handed on in the midst of a transaction.

use std::time::Duration;

use axum::response::IntoResponse;
use http::StatusCode;
use palisade::Rejection;
use palisade::postgres::{PostgresError, PostgresOptions};

use crate::servers::{postgres, postgres_database};

#[tokio::test]
async fn a_statement_that_a_clients_text_spoils_costs_others_no_connection() {
    let server = postgres();
    postgres_database(&server, "spoiled").await;
    let database = PostgresOptions::new()
        .readers(1)
        .open(&server.url_of("spoiled"))
        .await
        .unwrap();
    let pid = async || {
        let sql = "SELECT pg_backend_pid()";
        database
            .one(sql, &[], |row| row.try_get::<_, i32>(0))
            .await
            .unwrap()
            .unwrap()
    };
    let before = pid().await;
    assert_eq!(before, pid().await);
    let spoiled = database
        .one("SELECT $1::text::integer", &[&"a"], |row| {
            row.try_get::<_, i32>(0)
        })
        .await;
    let error = spoiled.unwrap_err();
    assert_eq!(
        before,
        pid().await,
        "everybody's connection was closed for one request's `{error}`"
    );
    let nul = database
        .one("SELECT $1::text", &[&"a\0b"], |row| row.try_get::<_, String>(0))
        .await;
    assert!(matches!(nul, Err(PostgresError::Nul)), "{nul:?}");
    assert_eq!(before, pid().await);
}

#[test]
fn a_text_that_postgres_cannot_keep_is_the_clients_fault() {
    let answer = Rejection::from(PostgresError::Nul).into_response();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

/// The last statement cannot even be sent; a `COMMIT` behind it would keep half of what was to be all or nothing.
#[tokio::test]
async fn a_transaction_whose_last_statement_holds_nul_leaves_nothing_behind() {
    let server = postgres();
    let database = postgres_database(&server, "halves").await;
    database
        .execute("CREATE TABLE note (body text)", &[])
        .await
        .unwrap();
    let mut writer = database.writer().await.unwrap();
    let insert = "INSERT INTO note VALUES ($1)";
    writer.first(insert, &[&"one"]).await.unwrap();
    assert!(matches!(
        writer.last(insert, &[&"t\0o"]).await,
        Err(PostgresError::Nul)
    ));
    drop(writer);
    let notes = database
        .one("SELECT count(*) FROM note", &[], |row| row.try_get::<_, i64>(0))
        .await
        .unwrap();
    assert_eq!(notes, Some(0));
}

/// Django's migrations change tables under prepared statements.
#[tokio::test]
async fn a_statement_whose_table_was_changed_is_prepared_anew_on_the_same_connection() {
    let server = postgres();
    postgres_database(&server, "migrated").await;
    let database = PostgresOptions::new()
        .readers(1)
        .writers(1)
        .open(&server.url_of("migrated"))
        .await
        .unwrap();
    database
        .execute("CREATE TABLE note (body text)", &[])
        .await
        .unwrap();
    let notes = async || database.all("SELECT * FROM note", &[], |row| Ok(row.len())).await;
    let mut writer = database.writer().await.unwrap();
    assert!(notes().await.is_ok() && writer.one("SELECT * FROM note", &[]).await.is_ok());
    writer
        .execute("ALTER TABLE note ADD number integer", &[])
        .await
        .unwrap();
    // Whether the first one fails is the server's affair.
    let _ = (notes().await, writer.one("SELECT * FROM note", &[]).await);
    notes().await.unwrap();
    writer.one("SELECT * FROM note", &[]).await.unwrap();
}

/// A request that is given up in the midst of a transaction (the client hung up) leaves no transaction to the next.
#[tokio::test]
async fn a_transaction_that_nobody_waits_for_any_more_is_not_the_next_ones() {
    let server = postgres();
    let others = postgres_database(&server, "given_up").await;
    let mut holder = others.writer().await.unwrap();
    holder.one("SELECT pg_advisory_lock(1)", &[]).await.unwrap();
    let database = PostgresOptions::new()
        .writers(1)
        .open(&server.url_of("given_up"))
        .await
        .unwrap();
    for slow in [true, false] {
        let mut writer = database.writer().await.unwrap();
        let sql = if slow {
            "SELECT pg_current_xact_id()::text, pg_advisory_lock(1)"
        } else {
            "SELECT pg_current_xact_id()::text"
        };
        let first = writer.first(sql, &[]);
        if slow {
            assert!(
                tokio::time::timeout(Duration::from_millis(50), first)
                    .await
                    .is_err()
            );
        } else {
            first.await.unwrap();
        }
        drop(writer);
        let mut next = database.writer().await.unwrap();
        let sql = "SELECT pg_current_xact_id_if_assigned() IS NULL";
        let row = next.one(sql, &[]).await.unwrap().unwrap();
        assert!(
            row.try_get::<_, bool>(0).unwrap(),
            "in a transaction that another began (slow: {slow})"
        );
    }
}
