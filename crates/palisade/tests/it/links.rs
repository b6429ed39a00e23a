//! What a link to a row must do over every database: open it to who holds the link, until it ends, is taken back, or its row is not the
//! maker's any more; and nothing else, to anybody.

use std::time::Duration;

use http::StatusCode;
use palisade::sqlite::{Sqlite, SqliteError};
use palisade::{SecretKey, Settings};

use crate::client::{Answer, Client, KEY, settings};
use crate::links_site::{Site, browse};
use crate::rows_site::RowsDatabase;
use crate::user_stores::UserDatabase as _;

#[track_caller]
fn says(answer: &Answer, text: &str) {
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, text));
}

/// The one answer, whatever is wrong, but for the request's own number.
fn told(answer: &Answer) -> (StatusCode, http::HeaderMap, String) {
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    (
        answer.status,
        headers,
        answer.text.replace(answer.header("x-request-id"), ""),
    )
}

#[track_caller]
fn opens_nothing(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
    is_kept_in(answer);
}

#[track_caller]
fn is_kept_in(answer: &Answer) {
    let headers = ["cache-control", "referrer-policy", "x-robots-tag"].map(|name| answer.header(name));
    assert_eq!(
        headers,
        ["no-store", "no-referrer", "noindex, nofollow, noarchive"]
    );
}

/// The token with another letter at this place.
fn altered(token: &str, at: usize) -> String {
    let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
    let mut altered = token.to_owned();
    altered.replace_range(at..=at, other);
    altered
}

pub(crate) async fn opens_for_who_holds_it<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let note = site.note("hers").await;
    let (id, token) = site.link(&note, "until=7200&label=for the bank").await;
    for client in [&site.nobody, site.ann(), site.bob()] {
        let answer = client.get(&format!("/l/{token}")).await;
        says(&answer, "hers 1 false");
        is_kept_in(&answer);
        assert!(
            answer.headers.get("set-cookie").is_none(),
            "a link needs no session"
        );
    }
    // What the handler says of caches does not count, nor does it have to ask.
    let bare = site.nobody.get(&format!("/bare/{token}")).await;
    says(&bare, "within");
    is_kept_in(&bare);
    // Another struct over the same table, asked for twice.
    says(
        &site.nobody.get(&format!("/line/{token}")).await,
        &format!("hers{note}"),
    );
    // To read, and only by the route that says so.
    let posted = site.nobody.post(&format!("/l/{token}"), "").await;
    assert!(!posted.status.is_success(), "{posted:?}");
    for path in [format!("/notes/{note}/links"), format!("/unruled/{token}")] {
        assert!(!site.nobody.get(&path).await.status.is_success(), "{path}");
    }
    let listed = site.ann().get(&format!("/notes/{note}/links")).await;
    says(&listed, &format!("{id}:for the bank:anybody:0:7200:0"));
    site.clock.advance(Duration::from_secs(3599));
    site.nobody.get(&format!("/l/{token}")).await;
    says(
        &site.ann().get(&format!("/notes/{note}/links")).await,
        &listed.text,
    );
    site.clock.advance(Duration::from_secs(1));
    site.nobody.get(&format!("/l/{token}")).await;
    says(
        &site.ann().get(&format!("/notes/{note}/links")).await,
        &format!("{id}:for the bank:anybody:0:7200:3600"),
    );
    // A text is an id, too, and to the letter.
    site.ann().post("/papers", "key=c0ffee").await;
    site.ann().post("/papers", "key=C0FFEE-2").await;
    let paper = site.ann().post("/papers/c0ffee/link", "until=7200").await.text;
    says(&site.nobody.get(&format!("/p/{paper}")).await, "words");
}

pub(crate) async fn ends_and_is_taken_back<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let (note, other) = (site.note("hers").await, site.note("other").await);
    let open = async |token: &str| site.nobody.get(&format!("/l/{token}")).await;
    let (_, short) = site.link(&note, "until=60").await;
    let (second, taken) = site.link(&note, "until=600").await;
    let (_, third) = site.link(&note, "until=600").await;
    let (_, elsewhere) = site.link(&other, "until=600").await;
    site.clock.advance(Duration::from_secs(59));
    says(&open(&short).await, "hers 1 false");
    site.clock.advance(Duration::from_secs(1));
    opens_nothing(&open(&short).await);
    // Whoever is not the owner, or names a link of another row, takes nothing back.
    let unlink = format!("link={second}");
    assert_eq!(
        site.bob()
            .post(&format!("/notes/{note}/unlink"), &unlink)
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    says(
        &site.ann().post(&format!("/notes/{other}/unlink"), &unlink).await,
        "false",
    );
    says(&open(&taken).await, "hers 1 false");
    says(
        &site.ann().post(&format!("/notes/{note}/unlink"), &unlink).await,
        "true",
    );
    opens_nothing(&open(&taken).await);
    says(
        &site.ann().post(&format!("/notes/{note}/unlink"), &unlink).await,
        "false",
    );
    says(&open(&third).await, "hers 1 false");
    // The one that has ended is still listed.
    says(&site.ann().post(&format!("/notes/{note}/unlink"), "").await, "2");
    opens_nothing(&open(&third).await);
    says(&open(&elsewhere).await, "other 1 false");
    // Whatever was wrong, the answer is the same.
    let nothing = told(&open("plk_nothing").await);
    for token in [&short, &taken, &third, &altered(&elsewhere, 10)] {
        assert_eq!(told(&open(token).await), nothing);
    }
    // What has ended long ago is swept when the next one is made.
    site.clock.advance(Duration::from_hours(31 * 24));
    says(&site.ann().get("/in/ann").await, "in");
    let until = 32 * 24 * 3600;
    site.link(&note, &format!("until={until}")).await;
    says(&site.ann().get(&format!("/notes/{other}/links")).await, "");
}

pub(crate) async fn opens_for_one_user<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let note = site.note("hers").await;
    let (id, token) = site.link(&note, "until=600&user=bob").await;
    let path = format!("/l/{token}");
    says(&site.bob().get(&path).await, "hers 1 true");
    opens_nothing(&site.users[2].get(&path).await);
    opens_nothing(&site.ann().get(&path).await);
    let login = browse(&site.nobody, &path).await;
    assert_eq!(login.status, StatusCode::FOUND, "{login:?}");
    assert_eq!(login.header("location"), format!("/login/?next=/l/{token}"));
    is_kept_in(&login);
    assert_eq!(site.nobody.get(&path).await.status, StatusCode::UNAUTHORIZED);
    // Nobody is asked to log in for a link that is none, or is no more.
    opens_nothing(&browse(&site.nobody, &format!("/l/{}", altered(&token, 30))).await);
    says(
        &site.ann().get(&format!("/notes/{note}/links")).await,
        &format!("{id}::bob:0:600:0"),
    );
    // A name that nobody has opens for nobody, not for who takes it later either, and is answered as one that somebody has.
    let (_, none) = site.link(&note, "until=600&user=zoe").await;
    assert_eq!(
        browse(&site.nobody, &format!("/l/{none}")).await.status,
        StatusCode::FOUND
    );
    database
        .run("UPDATE auth_user SET username = 'zoe' WHERE id = 3")
        .await;
    for client in &site.users {
        opens_nothing(&client.get(&format!("/l/{none}")).await);
    }
    // Whom it is bound to may not log in any more.
    database
        .run("UPDATE auth_user SET is_active = (1 = 0) WHERE id = 2")
        .await;
    assert_eq!(browse(site.bob(), &path).await.status, StatusCode::FOUND);
    database.run("DELETE FROM auth_user WHERE id = 2").await;
    opens_nothing(&browse(&site.nobody, &path).await);
}

pub(crate) async fn goes_with_row_and_owner<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let note = site.note("hers").await;
    let (_, token) = site.link(&note, "until=600").await;
    let path = format!("/l/{token}");
    let run = async |sql: String| database.run(sql.leak()).await;

    says(
        &site.ann().post(&format!("/notes/{note}/delete"), "").await,
        "true",
    );
    opens_nothing(&site.nobody.get(&path).await);
    // A later row of the same id, made behind our back, for the same owner.
    let again = format!("VALUES ({note}, 1, 'later', '', (1 = 0), 0)");
    run(format!(
        "INSERT INTO it_note (id, owner, title, body, starred, written) {again}"
    ))
    .await;
    opens_nothing(&site.nobody.get(&path).await);
    says(&site.ann().get(&format!("/notes/{note}/links")).await, "");

    // A row that another program deleted leaves no links to the one that is added here under its id.
    site.ann().post("/papers", "key=c0ffee").await;
    let paper = site.ann().post("/papers/c0ffee/link", "").await.text;
    says(&site.nobody.get(&format!("/p/{paper}")).await, "words");
    database.run("DELETE FROM it_paper").await;
    opens_nothing(&site.nobody.get(&format!("/p/{paper}")).await);
    site.ann().post("/papers", "key=c0ffee").await;
    opens_nothing(&site.nobody.get(&format!("/p/{paper}")).await);

    // A row that changes hands, and an owner who is not to come in any more.
    let (_, token) = site.link(&note, "until=600").await;
    let path = format!("/l/{token}");
    says(&site.nobody.get(&path).await, "later 1 false");
    run(format!("UPDATE it_note SET owner = 2 WHERE id = {note}")).await;
    opens_nothing(&site.nobody.get(&path).await);
    says(&site.bob().get(&format!("/notes/{note}/links")).await, "");
    run(format!("UPDATE it_note SET owner = 1 WHERE id = {note}")).await;
    database
        .run("UPDATE auth_user SET is_active = (1 = 0) WHERE id = 1")
        .await;
    opens_nothing(&site.nobody.get(&path).await);
    database
        .run("UPDATE auth_user SET is_active = (1 = 1) WHERE id = 1")
        .await;
    says(&site.nobody.get(&path).await, "later 1 false");
    database.run("DELETE FROM it_note").await;
    database.run("DELETE FROM auth_user WHERE id = 1").await;
    opens_nothing(&site.nobody.get(&path).await);
}

pub(crate) async fn is_made_by_the_owner_within_limits<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let note = site.note("hers").await;
    let make = async |client: &Client, terms: &str| {
        let answer = client.post(&format!("/notes/{note}/link"), terms).await;
        answer.status
    };
    assert_eq!(make(site.bob(), "until=60").await, StatusCode::NOT_FOUND);
    let month = 30 * 24 * 3600;
    let long = format!("until={}", month + 1);
    let label = |letters: usize| format!("until=60&label={}", "é".repeat(letters));
    for wrong in [
        "until=0",
        &long,
        &label(101),
        "until=60&label=a%0Ab",
        "until=60&user=",
        "until=60&user=a%00",
    ] {
        assert_eq!(make(site.ann(), wrong).await, StatusCode::BAD_REQUEST, "{wrong}");
    }
    says(&site.ann().get(&format!("/notes/{note}/links")).await, "");
    for right in [format!("until={month}"), format!("{long}&long=1"), label(100)] {
        assert_eq!(make(site.ann(), &right).await, StatusCode::OK, "{right}");
    }
    for _ in 3..100 {
        assert_eq!(make(site.ann(), "until=120").await, StatusCode::OK);
    }
    assert_eq!(make(site.ann(), "until=120").await, StatusCode::CONFLICT);
    // What has ended takes no room.
    site.clock.advance(Duration::from_mins(1));
    assert_eq!(make(site.ann(), "until=120").await, StatusCode::OK);
    assert_eq!(make(site.ann(), "until=120").await, StatusCode::CONFLICT);
}

#[tokio::test]
async fn link_in_sqlite_opens_for_who_holds_it_and_is_kept_out_of_caches_and_referers() {
    opens_for_who_holds_it(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn link_in_sqlite_that_has_ended_or_was_taken_back_opens_nothing() {
    ends_and_is_taken_back(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn link_in_sqlite_that_is_bound_opens_for_its_user_alone() {
    opens_for_one_user(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn link_in_sqlite_goes_with_its_row_and_its_owner() {
    goes_with_row_and_owner(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn link_in_sqlite_is_made_by_the_owner_alone_and_within_limits() {
    is_made_by_the_owner_within_limits(&Sqlite::in_memory().unwrap()).await;
}

#[tokio::test]
async fn link_that_is_forged_altered_or_of_another_table_is_refused_before_a_database_is_asked() {
    let database = Sqlite::in_memory().unwrap();
    let site = Site::on(&database).await;
    let note = site.note("hers").await;
    let (_, token) = site.link(&note, "until=600").await;
    site.ann().post("/papers", "key=c0ffee").await;
    let paper = site.ann().post("/papers/c0ffee/link", "").await.text;
    says(&site.nobody.get(&format!("/l/{token}")).await, "hers 1 false");
    // Whoever asks the database now has no answer.
    database.run("DROP TABLE palisade_link").await;
    let asked = site.nobody.get(&format!("/l/{token}")).await;
    assert_eq!(asked.status, StatusCode::INTERNAL_SERVER_ERROR);
    is_kept_in(&asked);

    for at in 0..token.len() {
        opens_nothing(&site.nobody.get(&format!("/l/{}", altered(&token, at))).await);
    }
    let longer = token.replacen('.', ".1", 1);
    let long = "A".repeat(4000);
    let unsigned = token.rsplit_once('.').unwrap().0;
    for forged in [
        &longer,
        &long,
        unsigned,
        &format!("{token}."),
        &format!("{token}%00"),
        &format!("it_note:{token}"),
        "plk_",
        "%FF",
        "1",
        "..%2F..",
    ] {
        opens_nothing(&site.nobody.get(&format!("/l/{forged}")).await);
    }
    opens_nothing(&site.nobody.get(&format!("/l/{paper}")).await);
    opens_nothing(&site.nobody.get(&format!("/p/{token}")).await);
}

#[tokio::test]
async fn stolen_table_of_links_opens_nothing() {
    let database = Sqlite::in_memory().unwrap();
    let site = Site::on(&database).await;
    let note = site.note("hers").await;
    let (_, token) = site.link(&note, "until=600").await;
    let stolen: Result<Option<(String, String)>, SqliteError> = database.read(|reader| {
        reader.one("SELECT id, digest FROM palisade_link", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    });
    let (id, digest) = stolen.unwrap().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let [secret, end, signature] = parts[..] else {
        unreachable!()
    };
    assert!(!digest.contains(&secret[4..]) && !id.contains(&secret[4..]));
    for made in [
        digest.clone(),
        id.clone(),
        format!("plk_{digest}.{end}.{signature}"),
        format!("plk_{}.{end}.{signature}", &digest[..24]),
        format!("plk_{id}.{end}.{signature}"),
    ] {
        opens_nothing(&site.nobody.get(&format!("/l/{made}")).await);
    }
    // And who could write into the table once, but has not the key: the digest of a secret of their own.
    opens_nothing(
        &site
            .nobody
            .get(&format!("/l/plk_{}.{end}.{signature}", "A".repeat(24)))
            .await,
    );
}

#[tokio::test]
async fn link_counts_until_the_key_that_signed_it_is_no_fallback_any_more() {
    let database = Sqlite::in_memory().unwrap();
    let site = Site::on(&database).await;
    let note = site.note("hers").await;
    let (_, token) = site.link(&note, "until=600").await;
    let path = format!("/l/{token}");
    let new = || SecretKey::new(KEY.chars().rev().collect::<String>());
    let mut rotated = Settings::new(new(), ["example.com"]);
    rotated.secret_key_fallbacks = vec![SecretKey::new(KEY)];
    says(&Client::new(&site.app(rotated)).get(&path).await, "hers 1 false");
    let forgotten = Settings::new(new(), ["example.com"]);
    opens_nothing(&Client::new(&site.app(forgotten)).get(&path).await);
    says(
        &Client::new(&site.app(settings())).get(&path).await,
        "hers 1 false",
    );
}
