//! What every database of rows must do, asked of each of ours: nobody reaches what is not theirs, by whatever question.

use std::time::Duration;

use http::StatusCode;
use palisade::rows::{RowError, RowStore};
use palisade::sqlite::Sqlite;

use crate::client::{Answer, Client};
use crate::rows_site::{Line, Note, Paper, RowsDatabase, Site};
use crate::user_stores::UserDatabase;

#[track_caller]
fn says(answer: &Answer, text: &str) {
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, text));
}

async fn add(client: &Client, title: &str) -> String {
    let answer = client.post("/", &format!("title={title}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.text
}

async fn grant(client: &Client, id: &str, name: &str, role: &str) {
    let granted = client
        .post(&format!("/{id}/grant"), &format!("name={name}&role={role}"))
        .await;
    says(&granted, "granted");
}

/// What is not there.
#[track_caller]
fn is_nothing(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
}

pub(crate) async fn keeps_rows<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let [ann, bob, _] = &site.users[..] else {
        unreachable!()
    };
    let (first, second) = (add(ann, "one").await, add(ann, "two").await);
    let his = add(bob, "his").await;
    says(&ann.get(&format!("/{first}")).await, "one the secret of one");
    says(&ann.get("/").await, &format!("{first}:one {second}:two"));
    says(&ann.get("/?order=-title&rows=1").await, &format!("{second}:two"));
    says(
        &ann.get("/?order=title&rows=1&page=2").await,
        &format!("{second}:two"),
    );
    says(&ann.get("/?page=4294967295").await, "");
    says(&bob.get("/").await, &format!("{his}:his"));
    says(&ann.post(&format!("/{first}/edit"), "title=new").await, "done");
    says(&ann.get(&format!("/{first}/own")).await, "new");
    says(&ann.get(&format!("/{second}/own")).await, "two");
    let whole = format!("true {second} 1 true Some([0, 255, 7]) None true");
    says(&ann.get(&format!("/{second}/whole")).await, &whole);
    for order in [
        "body",
        "owner",
        "picture",
        "nothing",
        "id;--",
        "--id",
        "1",
        "it_note.id",
        "",
    ] {
        let answer = ann.get(&format!("/?order={order}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{order}");
    }
    says(&ann.post(&format!("/{first}/delete"), "").await, "done");
    is_nothing(&ann.get(&format!("/{first}")).await);
    says(&ann.get("/").await, &format!("{second}:two"));
}

pub(crate) async fn hides_what_is_anothers<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let [ann, bob, _] = &site.users[..] else {
        unreachable!()
    };
    let id = add(ann, "hers").await;
    // An id that there is not: the very same answer, headers and all but the request's own number.
    let nothing = bob.get("/999999").await;
    is_nothing(&nothing);
    let told = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("x-request-id");
        let id = answer.header("x-request-id");
        (answer.status, headers, answer.text.replace(id, ""))
    };
    for guess in [
        id.as_str(),
        "0",
        "-1",
        "01",
        "+1",
        "1%20OR%201=1",
        "1%20",
        "%31%00",
        "1.0",
        "1e0",
        "0x1",
        "99999999999999999999999",
        "%FF",
        "one",
        "9223372036854775807",
        "-9223372036854775808",
        "%D9%A1",
        "%27",
        "null",
        "%2e%2e",
    ] {
        assert_eq!(
            told(&bob.get(&format!("/{guess}")).await),
            told(&nothing),
            "{guess}"
        );
        for path in [
            "own",
            "grants",
            "ruled",
            "ruled/viewer",
            "ruled/editor",
            "ruled/twice",
        ] {
            is_nothing(&bob.get(&format!("/{guess}/{path}")).await);
        }
        for path in ["edit", "delete", "grant", "revoke/bob", "leave"] {
            is_nothing(
                &bob.post(&format!("/{guess}/{path}"), "title=x&name=bob&role=editor")
                    .await,
            );
        }
    }
    says(&bob.get("/").await, "");
    says(&bob.get("/shared").await, "");
    says(&ann.get(&format!("/{id}")).await, "hers the secret of hers");
    says(&ann.get(&format!("/{id}/grants")).await, "");
    // A number is one row and has one address.
    for other in [
        format!("0{id}"),
        format!("+{id}"),
        format!("{id}%20"),
        format!("{id}.0"),
    ] {
        is_nothing(&ann.get(&format!("/{other}")).await);
    }
    for nobody in [
        bob.thief().without("sessionid").get(&format!("/{id}")).await,
        bob.thief().without("sessionid").get("/").await,
    ] {
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    }
}

pub(crate) async fn shares_what_was_granted<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let [ann, bob, cy] = &site.users[..] else {
        unreachable!()
    };
    let id = add(ann, "hers").await;
    let at = |path: &str| format!("/{id}{path}");

    grant(ann, &id, "bob", "viewer").await;
    says(&bob.get(&at("")).await, "hers the secret of hers");
    says(&bob.get("/shared").await, &format!("{id}:hers:1:viewer"));
    says(&bob.get("/").await, "");
    is_nothing(&bob.post(&at("/edit"), "title=x&role=editor").await);
    is_nothing(&bob.get(&at("/own")).await);
    is_nothing(&bob.post(&at("/delete"), "").await);
    is_nothing(&bob.post(&at("/grant"), "name=cy&role=viewer").await);
    is_nothing(&bob.post(&at("/grant"), "name=bob&role=editor").await);
    is_nothing(&bob.get(&at("/grants")).await);
    is_nothing(&cy.get(&at("")).await);

    // The rule of a route decides where the handler forgets to ask, and the handler where it asks for more.
    says(&bob.get(&at("/ruled/viewer")).await, "hers");
    for path in ["/ruled", "/ruled/editor", "/ruled/twice"] {
        is_nothing(&bob.get(&at(path)).await);
    }
    for path in ["/ruled", "/ruled/viewer", "/ruled/editor", "/ruled/twice"] {
        assert_eq!(ann.get(&at(path)).await.status, StatusCode::OK, "{path}");
    }

    grant(ann, &id, "bob", "editor").await;
    says(&ann.get(&at("/grants")).await, "bob:editor:-1");
    says(&bob.post(&at("/edit"), "title=his").await, "done");
    says(&ann.get(&at("")).await, "his the secret of his");
    is_nothing(&bob.post(&at("/delete"), "").await);
    is_nothing(&bob.post(&at("/revoke/bob"), "").await);

    says(&ann.post(&at("/revoke/bob"), "").await, "done");
    says(&ann.post(&at("/revoke/bob"), "").await, "nothing");
    is_nothing(&bob.get(&at("")).await);
    is_nothing(&bob.post(&at("/edit"), "title=x").await);
    says(&bob.get("/shared").await, "");

    // Until when.
    let until = |seconds: u64| format!("name=bob&role=editor&until={seconds}");
    says(&ann.post(&at("/grant"), &until(10)).await, "granted");
    site.clock.advance(Duration::from_secs(9));
    says(&bob.post(&at("/edit"), "title=last").await, "done");
    site.clock.advance(Duration::from_secs(1));
    is_nothing(&bob.post(&at("/edit"), "title=late").await);
    is_nothing(&bob.get(&at("")).await);
    says(&bob.get("/shared").await, "");
    says(&ann.get(&at("/grants")).await, "bob:editor:10");
    says(&ann.get(&at("/own")).await, "last");

    // Who was granted it may give it up.
    grant(ann, &id, "bob", "viewer").await;
    says(&bob.post(&at("/leave"), "").await, "done");
    is_nothing(&bob.get(&at("")).await);
    says(&ann.get(&at("/grants")).await, "");
}

pub(crate) async fn tells_nobody_who_has_an_account<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let [ann, bob, _] = &site.users[..] else {
        unreachable!()
    };
    let id = add(ann, "hers").await;
    database
        .run("UPDATE auth_user SET is_active = (1 = 0) WHERE id = 3")
        .await;
    for name in ["zoe", "bob", "cy", "Bob", "nobody"] {
        grant(ann, &id, name, "viewer").await;
        grant(ann, &id, name, "editor").await;
    }
    says(
        &ann.get(&format!("/{id}/grants")).await,
        "Bob:editor:-1 bob:editor:-1 cy:editor:-1 nobody:editor:-1 zoe:editor:-1",
    );
    says(&bob.get("/shared").await, &format!("{id}:hers:1:editor"));
    // Whoever takes the name later, or comes back, was granted nothing.
    database
        .run("UPDATE auth_user SET username = 'zoe', is_active = (1 = 1) WHERE id = 3")
        .await;
    is_nothing(&site.users[2].get(&format!("/{id}")).await);
    says(&ann.post(&format!("/{id}/revoke/nobody"), "").await, "done");
    for none in ["", "%00", "a%0Ab", &"x".repeat(151)] {
        let answer = ann
            .post(&format!("/{id}/grant"), &format!("name={none}&role=viewer"))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{none}");
    }
}

pub(crate) async fn grants_go_with_row_and_user<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let [ann, bob, cy] = &site.users[..] else {
        unreachable!()
    };
    let id = add(ann, "hers").await;
    grant(ann, &id, "bob", "editor").await;
    says(&ann.post(&format!("/{id}/delete"), "").await, "done");
    // A later row of the same id, made behind our back.
    let again: &'static str = format!(
        "INSERT INTO it_note (id, owner, title, body, starred, written) VALUES ({id}, 1, 'later', '', (1 = 0), 0)"
    )
    .leak();
    database.run(again).await;
    says(&ann.get(&format!("/{id}/grants")).await, "");
    is_nothing(&bob.get(&format!("/{id}")).await);

    // A row that changes hands takes no grants along, and a row that another program deleted leaves none to its successor.
    grant(ann, &id, "bob", "editor").await;
    let moved: &'static str = format!("UPDATE it_note SET owner = 3 WHERE id = {id}").leak();
    database.run(moved).await;
    is_nothing(&bob.get(&format!("/{id}")).await);
    is_nothing(&bob.post(&format!("/{id}/edit"), "title=x").await);
    says(&bob.get("/shared").await, "");
    is_nothing(&ann.get(&format!("/{id}")).await);
    says(&cy.get(&format!("/{id}/grants")).await, "");

    let second = add(ann, "second").await;
    grant(ann, &second, "bob", "viewer").await;
    grant(ann, &second, "cy", "viewer").await;
    database.run("DELETE FROM auth_user WHERE id = 2").await;
    says(&ann.get(&format!("/{second}/grants")).await, "cy:viewer:-1");
    assert_eq!(
        bob.get(&format!("/{second}")).await.status,
        StatusCode::UNAUTHORIZED
    );
}

pub(crate) async fn limits_hold_for_many_at_once<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let ann = &site.users[0];
    let asked = (0..20).map(|n| {
        let ann = ann.clone();
        tokio::spawn(async move { ann.post("/", &format!("title=n{n}&most=5")).await.status })
    });
    let mut added = 0;
    for status in futures_util::future::join_all(asked).await {
        match status.unwrap() {
            StatusCode::OK => added += 1,
            status => assert_eq!(status, StatusCode::CONFLICT),
        }
    }
    assert_eq!(added, 5);
    assert_eq!(ann.get("/").await.text.split(' ').count(), 5);
    assert_eq!(
        site.users[1].post("/", "title=his&most=5").await.status,
        StatusCode::OK
    );
}

pub(crate) async fn texts_are_ids_too<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let [ann, bob, _] = &site.users[..] else {
        unreachable!()
    };
    says(&ann.post("/papers", "key=c0ffee-1").await, "c0ffee-1");
    assert_eq!(
        bob.post("/papers", "key=c0ffee-1").await.status,
        StatusCode::CONFLICT
    );
    says(&ann.get("/papers/c0ffee-1").await, "words");
    for guess in [
        "c0ffee-1",
        "C0FFEE-1",
        "%27%20OR%20%27%27=%27",
        "c0ffee-1%20",
        "%00",
        "%25",
    ] {
        is_nothing(&bob.get(&format!("/papers/{guess}")).await);
        is_nothing(&bob.post(&format!("/papers/{guess}/reword"), "").await);
        is_nothing(&bob.post(&format!("/papers/{guess}/delete"), "").await);
    }
    is_nothing(&ann.get("/papers/C0FFEE-1").await);
    says(&ann.post("/papers/c0ffee-1/grant", "").await, "granted");
    says(&bob.get("/papers").await, "c0ffee-1");
    says(&bob.post("/papers/c0ffee-1/reword", "").await, "done");
    is_nothing(&bob.get("/papers/C0FFEE-1").await);
    is_nothing(&bob.get("/papers/c0ffee-1/own").await);
    // Another of hers, which some collations take for the same.
    says(&ann.post("/papers", "key=c0ffee-1%20").await, "c0ffee-1 ");
    is_nothing(&bob.get("/papers/c0ffee-1%20").await);
    is_nothing(&bob.post("/papers/c0ffee-1%20/reword", "").await);
    says(&bob.get("/papers").await, "c0ffee-1");
    says(&ann.post("/papers/c0ffee-1%20/delete", "").await, "done");
    says(&ann.get("/papers/c0ffee-1/own").await, "other");
    says(&ann.post("/papers/c0ffee-1/delete", "").await, "done");
    // The same key for another paper: what was granted of the first is gone.
    says(&ann.post("/papers", "key=c0ffee-1").await, "c0ffee-1");
    is_nothing(&bob.get("/papers/c0ffee-1").await);
}

pub(crate) async fn looks_at_tables_early<D: RowsDatabase>(database: &D) {
    let _users = database.users().await;
    let rows = database.rows().await;
    let missing = rows.check::<Note>().await;
    assert!(matches!(missing, Err(RowError::Refused(_))), "{missing:?}");
    for sql in D::TABLES {
        database.run(sql).await;
    }
    rows.check::<Note>().await.unwrap();
    rows.check::<Line>().await.unwrap();
    rows.check::<Paper>().await.unwrap();
    database
        .run("ALTER TABLE it_paper RENAME COLUMN words TO wordz")
        .await;
    let missing = rows.check::<Paper>().await;
    assert!(matches!(missing, Err(RowError::Refused(_))), "{missing:?}");
}

#[tokio::test]
async fn rows_are_kept_in_sqlite() {
    keeps_rows(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn what_is_anothers_is_not_there_in_sqlite() {
    hides_what_is_anothers(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn what_was_granted_is_shared_in_sqlite_and_nothing_else() {
    shares_what_was_granted(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn sharing_in_sqlite_does_not_tell_who_has_an_account() {
    tells_nobody_who_has_an_account(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn grants_in_sqlite_go_with_the_row_and_with_the_user() {
    grants_go_with_row_and_user(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn of_many_rows_added_to_sqlite_at_once_no_more_than_allowed_come_through() {
    limits_hold_for_many_at_once(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn rows_of_sqlite_may_have_texts_for_ids() {
    texts_are_ids_too(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn tables_are_looked_at_before_there_is_a_visitor_in_sqlite() {
    looks_at_tables_early(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn a_time_that_is_none_is_not_no_time() {
    let database = Sqlite::in_memory().unwrap();
    let site = Site::on(&database).await;
    let id = add(&site.users[0], "hers").await;
    says(
        &site.users[0].get(&format!("/{id}")).await,
        "hers the secret of hers",
    );
    database.run("UPDATE it_note SET seen = 'tomorrow'").await;
    let answer = site.users[0].get(&format!("/{id}")).await;
    assert_eq!(
        answer.status,
        StatusCode::INTERNAL_SERVER_ERROR,
        "{}",
        answer.text
    );
}

#[test]
fn a_store_of_rows_does_not_show_its_secrets() {
    let store = RowStore::from(palisade::rows::SqliteRows::new(Sqlite::in_memory().unwrap()).unwrap());
    assert!(format!("{store:?}").starts_with("RowStore(SqliteRows(Sqlite("));
}
