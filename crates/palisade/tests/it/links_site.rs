//! A small site whose notes and papers can be opened by links, over any database.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use axum::Form;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::CACHE_CONTROL;
use axum::routing::{get, post};
use http::Request;
use palisade::auth::{Auth, NewUser, UserStore};
use palisade::clock::Clock;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::rows::{Link, LinkTerms, Linked, Owned, RowStore, Rows};
use palisade::session::MemorySessions;
use palisade::{Palisade, Policies, Protected, Rejection, Router, Sensitive, Settings};

use crate::client::{Answer, Client, settings};
use crate::rows_site::{BEGIN, Line, NAMES, NewPaper, Note, Paper, RowsDatabase, note};
use crate::user_stores::UserDatabase;

type Fields = Form<HashMap<String, String>>;

/// A database with a note and its link's holder in view.
pub(crate) struct Site<D: RowsDatabase> {
    pub(crate) clock: Clock,
    /// Ann, Bob and Cy, who are 1, 2 and 3.
    pub(crate) users: Vec<Client>,
    pub(crate) nobody: Client,
    store: <D as UserDatabase>::Users,
    rows: RowStore,
}

/// `until` in seconds of the site's clock, `user`, `label`, `long`.
fn terms(form: &HashMap<String, String>) -> LinkTerms {
    let until = form
        .get("until")
        .and_then(|until| until.parse().ok())
        .unwrap_or(60);
    let mut terms = LinkTerms::until(UNIX_EPOCH + BEGIN + Duration::from_secs(until));
    if let Some(name) = form.get("user") {
        terms = terms.for_user(name);
    }
    if let Some(label) = form.get("label") {
        terms = terms.label(label);
    }
    if form.contains_key("long") {
        terms = terms.dangerous_long_lived();
    }
    terms
}

async fn link(note: Owned<Note>, Form(form): Fields) -> Result<String, Rejection> {
    let link = note.link(terms(&form)).await?;
    let address = link.address("/l/{token}");
    assert!(address.expose().ends_with(link.token.expose().as_str()));
    Ok(format!("{} {}", link.id, link.token.expose()))
}

async fn links(note: Owned<Note>) -> Result<String, Rejection> {
    let links = note.links().await?;
    let since = |at: std::time::SystemTime| at.duration_since(UNIX_EPOCH + BEGIN).unwrap().as_secs();
    let text = |link: &Link| {
        let opened = link.opened.map_or("never".to_owned(), |at| since(at).to_string());
        let bound = link.bound_to.as_deref().unwrap_or("anybody");
        format!(
            "{}:{}:{bound}:{}:{}:{opened}",
            link.id,
            link.label,
            since(link.made),
            since(link.until)
        )
    };
    Ok(links.iter().map(text).collect::<Vec<_>>().join(" "))
}

fn routes() -> Router {
    Router::new()
        .route(
            "/notes",
            post(
                async |notes: Rows<Note>, Form(form): Fields| -> Result<String, Rejection> {
                    Ok(notes.add(note(&form["title"])).await?.to_string())
                },
            )
            .logged_in(),
        )
        .route("/notes/{id}/link", post(link).owned::<Note>())
        .route("/notes/{id}/links", get(links).owned::<Note>())
        .route(
            "/notes/{id}/unlink",
            post(
                async |note: Owned<Note>, Form(form): Fields| -> Result<String, Rejection> {
                    Ok(match form.get("link") {
                        Some(link) => note.revoke_link(link).await?.to_string(),
                        None => note.revoke_links().await?.to_string(),
                    })
                },
            )
            .owned::<Note>(),
        )
        .route(
            "/notes/{id}/delete",
            post(async |note: Owned<Note>| note.delete().await.map(|done| done.to_string())).owned::<Note>(),
        )
        .route(
            "/papers",
            post(async |papers: Rows<Paper>, Form(form): Fields| {
                let new = NewPaper {
                    key: form["key"].clone(),
                    words: "words".to_owned(),
                };
                papers.add(new).await
            })
            .logged_in(),
        )
        .route(
            "/papers/{paper}/link",
            post(
                async |paper: Owned<Paper>, Form(form): Fields| -> Result<String, Rejection> {
                    Ok(paper.link(terms(&form)).await?.token.expose().clone())
                },
            )
            .owned::<Paper>(),
        )
        .route(
            "/l/{token}",
            get(async |note: Linked<Note>| {
                let whole = format!("{} {}", note.owner_id(), note.is_bound());
                assert!(!note.link_id().is_empty() && note.until() > UNIX_EPOCH + BEGIN);
                format!("{} {whole}", note.into_row().title)
            })
            .linked::<Note>(),
        )
        // The rule alone: the handler asks for nothing, and sends what would be kept.
        .route(
            "/bare/{token}",
            get(async || ([(CACHE_CONTROL, "public, max-age=3600")], "within")).linked::<Note>(),
        )
        .route(
            "/line/{token}",
            get(async |first: Linked<Line>, second: Linked<Line>| format!("{}{}", first.title, second.id))
                .linked::<Note>(),
        )
        .route(
            "/p/{token}",
            get(async |paper: Linked<Paper>| paper.words.clone()).linked::<Paper>(),
        )
        .route(
            "/unruled/{token}",
            get(async |note: Linked<Note>| note.title.clone()).public(),
        )
}

impl<D: RowsDatabase> Site<D> {
    pub(crate) async fn on(database: &D) -> Self {
        let store = database.users().await;
        let rows = database.rows().await;
        for sql in D::TABLES {
            database.run(sql).await;
        }
        for name in NAMES {
            let new = NewUser {
                username: name.to_owned(),
                ..NewUser::default()
            };
            store
                .create(new, Sensitive::new("!".to_owned()), UNIX_EPOCH)
                .await
                .unwrap();
        }
        let clock = Clock::fixed(UNIX_EPOCH + BEGIN);
        let mut site = Self {
            nobody: Client::new(&protect(settings(), &clock, &store, &rows)),
            users: Vec::new(),
            clock,
            store,
            rows,
        };
        let app = site.app(settings());
        for name in NAMES {
            let client = Client::new(&app);
            assert_eq!(client.get(&format!("/in/{name}")).await.text, "in");
            site.users.push(client);
        }
        site
    }

    /// The same site under other settings.
    pub(crate) fn app(&self, settings: Settings) -> Protected {
        protect(settings, &self.clock, &self.store, &self.rows)
    }

    pub(crate) fn ann(&self) -> &Client {
        &self.users[0]
    }

    pub(crate) fn bob(&self) -> &Client {
        &self.users[1]
    }

    /// Ann's note, by its id.
    pub(crate) async fn note(&self, title: &str) -> String {
        self.ann().post("/notes", &format!("title={title}")).await.text
    }

    /// A link that she makes to it: its id and its token.
    pub(crate) async fn link(&self, note: &str, terms: &str) -> (String, String) {
        let made = self.ann().post(&format!("/notes/{note}/link"), terms).await;
        assert_eq!(made.status, 200, "{made:?}");
        let (id, token) = made.text.split_once(' ').unwrap();
        (id.to_owned(), token.to_owned())
    }
}

fn protect<U: UserStore + Clone>(settings: Settings, clock: &Clock, users: &U, rows: &RowStore) -> Protected {
    let store = users.clone();
    let log_in = async move |auth: Auth, Path(name): Path<String>| -> Result<&'static str, Rejection> {
        let user = store.by_username(&name).await.unwrap().unwrap();
        let _done = auth.login(&user).await?;
        Ok("in")
    };
    Palisade::new(settings)
        .with_clock(clock.clone())
        .with_sessions(MemorySessions::new())
        .with_users_and(
            users.clone(),
            Hashers::dangerous_cheap(),
            PasswordPolicy::default(),
        )
        .with_rows(rows.clone())
        .protect(routes().route("/in/{name}", get(log_in).public()))
        .unwrap()
}

/// What a browser gets, which is sent to the login page.
pub(crate) async fn browse(client: &Client, path: &str) -> Answer {
    let request = Request::get(path)
        .header("accept", "text/html")
        .body(Body::empty());
    client.send(request.unwrap()).await
}
