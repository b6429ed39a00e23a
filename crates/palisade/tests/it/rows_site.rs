//! A small site of notes that belong to people and can be shared, over any database.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Form;
use axum::extract::{Path, Query};
use axum::routing::{get, post};
use palisade::auth::{Auth, NewUser, UserStore};
use palisade::clock::Clock;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::rows::{
    Editor, Grant, List, Owned, Reach, Role, RowStore, Rows, Seconds, Shared, SqliteRows, Viewer,
};
use palisade::session::MemorySessions;
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Policies, Rejection, Router, Sensitive};

use crate::client::{Client, settings};
use crate::user_stores::UserDatabase;

/// When the clock of the site begins.
pub(crate) const BEGIN: Duration = Duration::from_hours(500_000);

/// Everything that a column may hold.
#[derive(Debug, Owned)]
#[owned(table = "it_note", id = "id", owner = "owner", name = "note", new = NewNote, change = Edit(title, body))]
#[owned(change = Star(starred, seen))]
pub(crate) struct Note {
    pub(crate) id: i64,
    pub(crate) owner: i64,
    pub(crate) title: String,
    pub(crate) body: Sensitive<String>,
    pub(crate) starred: bool,
    pub(crate) seen: Option<SystemTime>,
    pub(crate) picture: Option<Vec<u8>>,
    pub(crate) written: Seconds,
    #[owned(column = "order")]
    pub(crate) place: Option<i64>,
}

/// The same table, for a list.
#[derive(Debug, Owned)]
#[owned(table = "it_note", id = "id", owner = "owner")]
pub(crate) struct Line {
    pub(crate) id: i64,
    pub(crate) title: String,
}

/// Rows whose ids are texts.
#[derive(Debug, Owned)]
#[owned(table = "it_paper", id = "key", owner = "owner", new = NewPaper, parameter = "paper", change = Reword(words))]
pub(crate) struct Paper {
    pub(crate) key: String,
    pub(crate) words: String,
}

/// A database with users and rows.
pub(crate) trait RowsDatabase: UserDatabase {
    /// What makes the tables.
    const TABLES: [&str; 2];

    async fn rows(&self) -> RowStore;
}

impl RowsDatabase for Sqlite {
    const TABLES: [&str; 2] = [
        "CREATE TABLE it_note (id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
           title TEXT NOT NULL, body TEXT NOT NULL, starred bool NOT NULL, seen datetime, picture BLOB, written INTEGER NOT NULL,
           \"order\" INTEGER)",
        "CREATE TABLE it_paper (\"key\" TEXT PRIMARY KEY, owner INTEGER NOT NULL, words TEXT NOT NULL)",
    ];

    async fn rows(&self) -> RowStore {
        SqliteRows::new(self.clone()).unwrap().into()
    }
}

pub(crate) fn note(title: &str) -> NewNote {
    NewNote {
        title: title.to_owned(),
        body: Sensitive::new(format!("the secret of {title}")),
        starred: false,
        seen: None,
        picture: Some(vec![0, 255, 7]),
        written: Seconds(UNIX_EPOCH + BEGIN),
        place: None,
    }
}

/// The site's clock, and a browser for each of its users, in the order of their numbers, which begin with one.
pub(crate) struct Site {
    pub(crate) clock: Clock,
    pub(crate) users: Vec<Client>,
}

pub(crate) const NAMES: [&str; 3] = ["ann", "bob", "cy"];

type Fields = Form<HashMap<String, String>>;

/// `title` of the new note, or the row that is known by it.
async fn add(notes: Rows<Note>, Form(form): Fields) -> Result<String, Rejection> {
    let most = form
        .get("most")
        .and_then(|most| most.parse().ok())
        .unwrap_or(u32::MAX);
    let id = notes.add_up_to(most, note(&form["title"])).await?;
    Ok(id.to_string())
}

fn part(query: &HashMap<String, String>) -> List {
    let number = |name: &str, otherwise| {
        query
            .get(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(otherwise)
    };
    let list = List::page(number("page", 1), number("rows", 100));
    match query.get("order") {
        Some(order) => list.order_by(order),
        None => list.order_by("id"),
    }
}

async fn list(notes: Rows<Line>, Query(query): Query<HashMap<String, String>>) -> Result<String, Rejection> {
    let lines = notes.list(&part(&query)).await?;
    let text = |line: &Line| format!("{}:{}", line.id, line.title);
    Ok(lines.iter().map(text).collect::<Vec<_>>().join(" "))
}

async fn shared(notes: Rows<Line>) -> Result<String, Rejection> {
    let mut lines = notes.shared_with_me(&List::default()).await?;
    lines.sort_by_key(|shared| shared.row.id);
    let text = |line: &Shared<Line>| {
        format!(
            "{}:{}:{}:{}",
            line.row.id,
            line.row.title,
            line.owner_id,
            line.role.name()
        )
    };
    Ok(lines.iter().map(text).collect::<Vec<_>>().join(" "))
}

async fn read(note: Reach<Note>) -> String {
    format!("{} {}", note.title, note.body.expose())
}

/// Every column as it comes back, after a change of two of them.
async fn whole(notes: Rows<Note>, Path(id): Path<i64>) -> Result<String, Rejection> {
    let seen = UNIX_EPOCH + BEGIN + Duration::from_micros(1_234_567);
    let change = Star {
        starred: true,
        seen: Some(seen),
    };
    let done = notes.update(&id, change).await?;
    let note = notes.find(&id).await?.unwrap();
    let same = note.seen == Some(seen) && note.written == Seconds(UNIX_EPOCH + BEGIN);
    Ok(format!(
        "{done} {} {} {} {:?} {:?} {same}",
        note.id, note.owner, note.starred, note.picture, note.place
    ))
}

async fn edit(note: Reach<Note, Editor>, Form(form): Fields) -> Result<&'static str, Rejection> {
    let change = Edit {
        title: form["title"].clone(),
        body: Sensitive::new(format!("the secret of {}", form["title"])),
    };
    Ok(if note.update(change).await? {
        "done"
    } else {
        "too late"
    })
}

async fn grant(note: Owned<Note>, Form(form): Fields) -> Result<&'static str, Rejection> {
    let role = Role::of_name(&form["role"]).ok_or_else(|| Rejection::bad_request("no role"))?;
    let until = form.get("until").and_then(|seconds| seconds.parse().ok());
    let until = until.map(|seconds| UNIX_EPOCH + BEGIN + Duration::from_secs(seconds));
    note.grant(&form["name"], role, until).await?;
    Ok("granted")
}

async fn grants(note: Owned<Note>) -> Result<String, Rejection> {
    let grants = note.grants().await?;
    let text = |grant: &Grant| {
        let until = grant.until.map_or(-1, |until| {
            until
                .duration_since(UNIX_EPOCH + BEGIN)
                .unwrap()
                .as_secs()
                .cast_signed()
        });
        format!("{}:{}:{until}", grant.username, grant.role.name())
    };
    Ok(grants.iter().map(text).collect::<Vec<_>>().join(" "))
}

fn said(done: bool) -> &'static str {
    if done { "done" } else { "nothing" }
}

fn routes() -> Router {
    Router::new()
        .route("/", get(list).post(add))
        .route("/shared", get(shared))
        .route("/{id}", get(read))
        .route("/{id}/whole", get(whole))
        .route("/{id}/own", get(async |note: Owned<Note>| note.title.clone()))
        .route("/{id}/edit", post(edit))
        .route(
            "/{id}/delete",
            post(async |note: Owned<Note>| note.delete().await.map(said)),
        )
        .route("/{id}/grant", post(grant))
        .route("/{id}/grants", get(grants))
        .route(
            "/{id}/revoke/{name}",
            post(
                async |note: Owned<Note>, Path((_, name)): Path<(String, String)>| {
                    note.revoke(&name).await.map(said)
                },
            ),
        )
        .route(
            "/{id}/leave",
            post(async |note: Reach<Note, Viewer>| note.leave().await.map(said)),
        )
        // The rule alone: these handlers ask for nothing.
        .route("/{id}/ruled", get(async || "within").owned::<Note>())
        .route(
            "/{id}/ruled/viewer",
            get(async |note: Reach<Note>| note.title.clone()).reach::<Note, Viewer>(),
        )
        .route(
            "/{id}/ruled/editor",
            get(async || "within").reach::<Note, Editor>(),
        )
        .route(
            "/{id}/ruled/twice",
            get(async |_: Reach<Note>, note: Owned<Note>| note.title.clone()).reach::<Note, Viewer>(),
        )
        .route(
            "/papers/{paper}",
            get(async |paper: Reach<Paper>| paper.words.clone()),
        )
        .route(
            "/papers/{paper}/own",
            get(async |paper: Owned<Paper>| paper.words.clone()),
        )
        .route(
            "/papers/{paper}/grant",
            post(async |paper: Owned<Paper>| -> Result<&'static str, Rejection> {
                paper.grant("bob", Role::Editor, None).await?;
                Ok("granted")
            }),
        )
        .route(
            "/papers/{paper}/reword",
            post(async |paper: Reach<Paper, Editor>| {
                paper
                    .update(Reword {
                        words: "other".to_owned(),
                    })
                    .await
                    .map(said)
            }),
        )
        .route(
            "/papers/{paper}/delete",
            post(async |paper: Owned<Paper>| paper.delete().await.map(said)),
        )
        .route(
            "/papers",
            get(async |papers: Rows<Paper>| -> Result<String, Rejection> {
                let shared = papers.shared_with_me(&List::default()).await?;
                Ok(shared
                    .iter()
                    .map(|one| one.row.key.clone())
                    .collect::<Vec<_>>()
                    .join(" "))
            })
            .post(async |papers: Rows<Paper>, Form(form): Fields| {
                let new = NewPaper {
                    key: form["key"].clone(),
                    words: "words".to_owned(),
                };
                papers.add(new).await
            }),
        )
}

impl Site {
    pub(crate) async fn on<D: RowsDatabase>(database: &D) -> Self {
        let users = database.users().await;
        let rows = database.rows().await;
        for sql in D::TABLES {
            database.run(sql).await;
        }
        for name in NAMES {
            let new = NewUser {
                username: name.to_owned(),
                ..NewUser::default()
            };
            let never = Sensitive::new("!".to_owned());
            users.create(new, never, UNIX_EPOCH).await.unwrap();
        }
        let clock = Clock::fixed(UNIX_EPOCH + BEGIN);
        let store = users.clone();
        let log_in = async move |auth: Auth, Path(name): Path<String>| -> Result<&'static str, Rejection> {
            let user = store.by_username(&name).await.unwrap().unwrap();
            let _done = auth.login(&user).await?;
            Ok("in")
        };
        let router = routes().route("/in/{name}", get(log_in).public()).public();
        let app = Palisade::new(settings())
            .with_clock(clock.clone())
            .with_sessions(MemorySessions::new())
            .with_users_and(users, Hashers::dangerous_cheap(), PasswordPolicy::default())
            .with_rows(rows)
            .protect(router)
            .unwrap();
        let mut browsers = Vec::new();
        for name in NAMES {
            let client = Client::new(&app);
            assert_eq!(client.get(&format!("/in/{name}")).await.text, "in");
            browsers.push(client);
        }
        Self {
            clock,
            users: browsers,
        }
    }
}
