//! The walk finds what is planted: each hole is a site that answers more than its routes say.

use std::time::UNIX_EPOCH;

use axum::extract::Path;
use axum::routing::{any, delete, get, post};
use axum::{Form, response::Redirect};
use http::{Method, StatusCode};
use palisade::auth::{Auth, LoggedIn, NewUser, Permitted, SqliteUsers, Staff, User, UserStore};
use palisade::core::permission::PermissionName;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::rows::{Editor, LinkTerms, Linked, List, Owned, Reach, Role, Rows, SqliteRows, Viewer};
use palisade::session::MemorySessions;
use palisade::sqlite::{Sqlite, SqliteError, params};
use palisade::testing::{Walk, WalkError, Walked, Who, visit};
use palisade::{Palisade, Policies, Rejection, Router, Sensitive, Settings};

use crate::client::settings;
use crate::rows_site::{Edit, Line, Note, RowsDatabase, note};
use crate::user_stores::UserDatabase;

const SECRET: &str = "the secret of hers";

struct ChangeNote;

impl Permitted for ChangeNote {
    const NAME: PermissionName = PermissionName::new("notes", "change_note");
}

/// A site with one note, and everybody who may walk there.
struct Site {
    palisade: Palisade,
    database: Sqlite,
    owner: User,
    other: User,
    viewer: User,
    staff: User,
}

impl Site {
    async fn new() -> Self {
        Self::with(settings()).await
    }

    async fn with(settings: Settings) -> Self {
        let database = Sqlite::in_memory().unwrap();
        let users = SqliteUsers::new(database.clone()).unwrap();
        database.run(Sqlite::TABLES[0]).await;
        let mut people = Vec::new();
        for username in ["ann", "bob", "vi", "root"] {
            let new = NewUser {
                username: username.to_owned(),
                ..NewUser::default()
            };
            let never = Sensitive::new("!".to_owned());
            people.push(users.create(new, never, UNIX_EPOCH).await.unwrap());
        }
        database
            .run("UPDATE auth_user SET is_staff = 1 WHERE username = 'root'")
            .await;
        let staff = users.by_id(people[3].id).await.unwrap().unwrap();
        let rows = SqliteRows::new(database.clone()).unwrap();
        let palisade = Palisade::new(settings)
            .with_sessions(MemorySessions::new())
            .with_users_and(users, Hashers::dangerous_cheap(), PasswordPolicy::default())
            .with_rows(rows);
        let planted = note("hers");
        let plant = database.write(move |writer| -> Result<usize, SqliteError> {
            writer.execute(
                "INSERT INTO it_note (owner, title, body, starred, written) VALUES (1, ?1, ?2, 0, 0)",
                params![planted.title, planted.body.expose()],
            )?;
            writer.execute(
                "INSERT INTO palisade_grant VALUES ('it_note', 1, '', 'vi', 3, 1, 10, NULL, 0)",
                [],
            )
        });
        plant.await.unwrap();
        let [owner, other, viewer, _] = people.try_into().unwrap();
        Self {
            palisade,
            database,
            owner,
            other,
            viewer,
            staff,
        }
    }

    /// Walks with everybody.
    async fn walk(&self, router: Router) -> Result<Walked, WalkError> {
        self.walk_and(router, |walk| walk).await
    }

    async fn walk_and(
        &self,
        router: Router,
        more: impl FnOnce(Walk<'_>) -> Walk<'_>,
    ) -> Result<Walked, WalkError> {
        let app = self.palisade.protect(router).unwrap();
        let walk = Walk::new(&self.palisade, &app)
            .owner(&self.owner)
            .other(&self.other)
            .granted(Role::Viewer, &self.viewer)
            .staff(&self.staff)
            .param("id", 1)
            .secret(SECRET);
        more(walk).run().await
    }

    /// The walk has to find this of that route, and nothing of any other.
    async fn finds(&self, router: Router, path: &str, who: Who, words: &str) {
        let found = self.walk(router).await.unwrap_err();
        let of_who = |step: &&palisade::testing::Step| step.who == Some(who);
        let step = found
            .wrong()
            .iter()
            .find(of_who)
            .unwrap_or_else(|| panic!("{found}"));
        assert!(step.wrong.as_deref().unwrap().contains(words), "{found}");
        assert!(found.wrong().iter().all(|step| step.path == path), "{found}");
    }
}

/// What nobody can find fault with.
fn sound() -> Router {
    Router::new()
        .route(
            "/",
            get(async |user: Option<LoggedIn>| user.map_or(0, |user| user.id).to_string()).public(),
        )
        .route(
            "/notes",
            get(async |notes: Rows<Line>| -> Result<String, Rejection> {
                let lines = notes.list(&List::default()).await?;
                let lines: Vec<_> = lines
                    .iter()
                    .map(|line| format!("{} {}", line.id, line.title))
                    .collect();
                Ok(lines.concat())
            })
            .post(async || StatusCode::UNPROCESSABLE_ENTITY)
            .logged_in(),
        )
        .route(
            "/notes/{id}",
            get(async |note: Reach<Note>| note.body.expose().clone()).reach::<Note, Viewer>(),
        )
        .route(
            "/notes/{id}/delete",
            post(async |note: Owned<Note>| -> Result<Redirect, Rejection> {
                note.delete().await?;
                Ok(Redirect::to("/notes"))
            })
            .owned::<Note>(),
        )
        .route(
            "/notes/{id}/edit",
            get(async || "a form")
                .post(async |note: Reach<Note, Editor>| {
                    let change = Edit {
                        title: "new".to_owned(),
                        body: Sensitive::new(SECRET.to_owned()),
                    };
                    note.update(change).await.map(|_| StatusCode::OK)
                })
                .reach::<Note, Editor>(),
        )
        .route(
            "/notes/{id}/by-hand",
            get(async |note: Owned<Note>| note.title.clone()).logged_in(),
        )
        .route(
            "/logout",
            post(async |auth: Auth| auth.logout().await.map(|()| "out")).logged_in(),
        )
        .route("/staff", get(async |_: Staff| "the list").staff())
        .route("/change", get(async || "changed").can::<ChangeNote>())
        .fallback(async || StatusCode::NOT_FOUND)
}

#[tokio::test]
async fn a_sound_site_passes_and_every_cell_was_asked() {
    let site = Site::new().await;
    let walked = site.walk(sound()).await.unwrap();
    let count = |who| walked.steps().iter().filter(|step| step.who == Some(who)).count();
    for who in [
        Who::Nobody,
        Who::Other,
        Who::Granted(Role::Viewer),
        Who::Staff,
        Who::Owner,
    ] {
        assert_eq!(count(who), 9 * 7, "{who} has asked each route by each method");
    }
    let table = walked.to_string();
    assert!(
        table.contains("/notes/{id}/delete") && table.contains("owner of it_note"),
        "{table}"
    );
    // The deletion came last: until then the note was there for everybody to be refused.
    let left = site
        .database
        .read(|reader| reader.exists("SELECT 1 FROM it_note", []))
        .unwrap();
    assert!(!left, "the owner has deleted it");
    let last = walked
        .steps()
        .iter()
        .rfind(|step| step.answer.starts_with("303"))
        .unwrap();
    assert_eq!(last.path, "/notes/{id}/delete");
}

#[tokio::test]
async fn it_walks_with_tokens_in_sessions_too() {
    let mut settings = settings();
    settings.csrf_use_sessions = true;
    Site::with(settings).await.walk(sound()).await.unwrap();
}

#[tokio::test]
async fn a_handler_that_does_not_ask_whose_it_is_is_found() {
    let router = sound().route(
        "/steal/{id}",
        get(async |Path(id): Path<i64>| format!("note {id}")).logged_in(),
    );
    let site = Site::new().await;
    site.finds(router, "/steal/{id}", Who::Other, "as it answers the owner")
        .await;
    let post = Router::new().route("/wipe/{id}", post(async || "wiped").logged_in());
    site.finds(post, "/wipe/{id}", Who::Other, "as it answers the owner")
        .await;
}

#[tokio::test]
async fn a_page_for_everybody_is_excused_by_name_and_reason() {
    let router = || Router::new().route("/product/{id}", get(async || "a chair").logged_in());
    let site = Site::new().await;
    site.finds(router(), "/product/{id}", Who::Other, "everybody_may")
        .await;
    site.walk_and(router(), |walk| {
        walk.everybody_may("/product/{id}", "the catalogue")
    })
    .await
    .unwrap();
    let wrong = site
        .walk_and(router(), |walk| walk.everybody_may("/products/{id}", "mistyped"))
        .await;
    assert!(wrong.unwrap_err().to_string().contains("there is no such route"));
}

#[tokio::test]
async fn a_rule_that_is_too_wide_is_found_by_what_it_shows() {
    let read =
        get(async |database: axum::Extension<String>| database.0).layer(axum::Extension(SECRET.to_owned()));
    let site = Site::new().await;
    for (router, who) in [
        (Router::new().route("/page", read.clone().public()), Who::Nobody),
        (Router::new().route("/page", read.clone().logged_in()), Who::Other),
        (Router::new().route("/page", read.staff()), Who::Staff),
    ] {
        site.finds(router, "/page", who, "what only the owner may see")
            .await;
    }
}

/// The same hole behind each kind of gate; nobody of the walk comes from there by nature.
#[tokio::test]
async fn what_is_behind_a_gate_is_walked_too() {
    let site = Site::new().await;
    let steal = || get(async |Path(id): Path<i64>| format!("note {id}")).logged_in();
    let (office, machines) = (["10.0.0.0/8", "fd00::/8"], ["10.7.0.0/16"]);
    for route in [
        steal().only_from(office).unwrap(),
        steal().only_from(office).unwrap().only_from(machines).unwrap(),
        steal().client_certificate_required(),
        steal().only_from(machines).unwrap().client_certificate_required(),
    ] {
        let router = Router::new().route("/steal/{id}", route);
        site.finds(router, "/steal/{id}", Who::Other, "as it answers the owner")
            .await;
    }
}

#[tokio::test]
async fn a_gate_is_tried_from_outside_and_without_a_certificate() {
    let mut settings = settings();
    // Whoever comes from a proxy comes from whom the proxy names.
    settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
    let site = Site::with(settings).await;
    let staff = async |_: Staff| "the staff area";
    let router = Router::new()
        .route("/office", get(staff).staff().only_from(["10.0.0.0/8"]).unwrap())
        .route("/keys", get(staff).staff().client_certificate_required())
        .fallback(async || Rejection::not_found("nothing"));
    let walked = site.walk(router).await.unwrap();
    let opened = |path: &str, rule: &str, answer: &str| {
        let is_it = |step: &&palisade::testing::Step| {
            let staffs = (&*step.path, step.who) == (path, Some(Who::Staff));
            staffs && step.method == Some(http::Method::GET) && step.rule == rule && step.answer == answer
        };
        assert!(walked.steps().iter().any(|step| is_it(&step)), "{walked}");
    };
    opened("/office", "staff", "200");
    opened("/office", "not from 203.0.113.1", "404");
    opened("/keys", "staff", "200");
    opened("/keys", "not without a certificate", "403");
}

#[tokio::test]
async fn a_gate_that_nobody_comes_through_is_found() {
    let site = Site::new().await;
    let shut = get(async || "x").staff().only_from(["10.0.0.0/8"]).unwrap();
    let router = Router::new().route("/shut", shut.only_from(["192.0.2.0/24"]).unwrap());
    let found = site.walk(router).await.unwrap_err().to_string();
    assert!(found.contains("no address is in all of its networks"), "{found}");
}

#[tokio::test]
async fn a_list_that_leaks_is_found() {
    let site = Site::new().await;
    let database = site.database.clone();
    let leak = get(async move |_: LoggedIn| -> Result<String, Rejection> {
        let bodies = database
            .read(|reader| reader.all("SELECT body FROM it_note", [], |row| row.get::<_, String>(0)))?;
        Ok(bodies.join("\n"))
    });
    site.finds(
        Router::new().route("/list", leak.logged_in()),
        "/list",
        Who::Other,
        "only the owner may see",
    )
    .await;
}

#[tokio::test]
async fn a_method_that_is_open_while_another_is_shut_is_found() {
    let site = Site::new().await;
    // The handler of GET asks, and that of POST has forgotten; the rule is too wide for both.
    let methods = get(async |_: Owned<Note>| "hers").post(async || "changed");
    site.finds(
        Router::new().route("/notes/{id}", methods.logged_in()),
        "/notes/{id}",
        Who::Other,
        "as it answers",
    )
    .await;
    let anything = any(async || "done").logged_in();
    site.finds(
        Router::new().route("/any/{id}", anything),
        "/any/{id}",
        Who::Staff,
        "as it answers",
    )
    .await;
    let removes = delete(async || "gone").logged_in();
    site.finds(
        Router::new().route("/gone/{id}", removes),
        "/gone/{id}",
        Who::Other,
        "as it answers",
    )
    .await;
}

#[tokio::test]
async fn a_handler_that_fails_and_a_path_without_a_row_are_found() {
    let site = Site::new().await;
    let fails = get(async || StatusCode::INTERNAL_SERVER_ERROR).public();
    site.finds(
        Router::new().route("/fails", fails),
        "/fails",
        Who::Nobody,
        "the handler fails",
    )
    .await;
    let wrong = site
        .walk_and(sound(), |walk| walk.param("id", 99))
        .await
        .unwrap_err();
    assert!(wrong.to_string().contains("the owner is refused"), "{wrong}");
    let nameless = Router::new().route("/{other}", get(async || "x").logged_in());
    let wrong = site.walk(nameless).await.unwrap_err();
    assert!(
        wrong.to_string().contains("{other}: say .param(\"other\", …)"),
        "{wrong}"
    );
    let plain = Router::from(axum::Router::new().route("/", get(async || "x"))).logged_in();
    let wrong = site.walk(plain).await.unwrap_err();
    assert!(wrong.to_string().contains("not known here"), "{wrong}");
}

#[tokio::test]
async fn whom_the_rule_lets_through_is_refused_with_a_login_of_long_ago() {
    let site = Site::new().await;
    let router = Router::new()
        .route(
            "/notes/{id}/share",
            post(async || "shared").owned::<Note>().recent(),
        )
        .route("/staff", get(async || "the list").staff().recent())
        .route("/", get(async || "hello").public());
    let walked = site.walk(router).await.unwrap();
    let (long_ago, just_now): (Vec<_>, Vec<_>) = walked.steps().iter().partition(|step| step.long_ago);
    for (who, path) in [(Who::Owner, "/notes/{id}/share"), (Who::Staff, "/staff")] {
        let asked = long_ago.iter().filter(|step| step.who == Some(who));
        assert_eq!(asked.count(), 7, "{who}, by each method");
        let refused = |step: &&&palisade::testing::Step| {
            step.path == path && step.answer.starts_with("302 to /login/confirm/")
        };
        assert_eq!(long_ago.iter().filter(refused).count(), 7, "{walked}");
        let let_in = |step: &&palisade::testing::Step| {
            step.path == path && step.who == Some(who) && step.answer == "200"
        };
        assert!(just_now.iter().any(let_in), "{walked}");
    }
    assert_eq!(long_ago.len(), 14, "nobody else is let through by the rule");
    assert!(walked.to_string().contains("the owner, long ago"), "{walked}");
    assert!(walked.to_string().contains("staff, recent login"), "{walked}");
}

#[tokio::test]
async fn a_walk_without_owner_or_other_proves_nothing_and_says_so() {
    let site = Site::new().await;
    let app = site.palisade.protect(sound()).unwrap();
    let wrong = Walk::new(&site.palisade, &app)
        .param("id", 1)
        .run()
        .await
        .unwrap_err();
    for who in ["the owner", "another user"] {
        assert!(
            wrong.to_string().contains(&format!("{who} does not take part")),
            "{wrong}"
        );
    }
    assert_eq!(format!("{wrong:?}"), wrong.to_string(), "unwrap shows the table");
}

/// The rule stands before the handler: one that takes a form is not reached by whoever may not.
#[tokio::test]
async fn forms_are_sent_where_they_are_given() {
    let site = Site::new().await;
    let takes = post(async |Form(form): Form<Vec<(String, String)>>| format!("{form:?}")).owned::<Note>();
    let router = Router::new().route("/notes/{id}/form", takes);
    let walked = site
        .walk_and(router, |walk| walk.form("/notes/{id}/form", "title=x"))
        .await
        .unwrap();
    let owners = walked
        .steps()
        .iter()
        .find(|step| step.who == Some(Who::Owner) && step.answer == "200");
    assert!(owners.is_some(), "{walked}");
}

#[tokio::test]
async fn a_route_that_asks_for_rows_is_not_protected_without_them() {
    let site = Site::new().await;
    let without = Palisade::new(settings())
        .with_sessions(MemorySessions::new())
        .with_users(SqliteUsers::new(site.database.clone()).unwrap());
    let router = || Router::new().route("/{id}", get(async || "x").owned::<Note>());
    let error = without.protect(router()).unwrap_err();
    assert_eq!(error.rows_untold, ["/{id} (owner of it_note)"]);
    let nameless = Router::new().route("/{note}", get(async || "x").reach::<Note, Viewer>());
    let error = site.palisade.protect(nameless).unwrap_err().to_string();
    assert!(
        error.contains("/{note} (viewer of it_note): no {id} in it"),
        "{error}"
    );
    // The rule asks for the row of one number, and the handler shows that of the other.
    let of_team = Router::new().route("/{id}", get(async || "x").owned::<Note>());
    let twice = Router::new().nest("/teams/{id}/notes", of_team);
    let error = site.palisade.protect(twice).unwrap_err().to_string();
    assert!(
        error.contains("/teams/{id}/notes/{id} (owner of it_note): more than one {id} in it"),
        "{error}"
    );
    let extractor = Router::new().route("/mine", get(async |_: Rows<Note>| "x").logged_in());
    let app = without.protect(extractor).unwrap();
    let found = Walk::new(&without, &app)
        .owner(&site.owner)
        .other(&site.other)
        .run()
        .await
        .unwrap_err();
    assert!(found.to_string().contains("the handler fails"), "{found}");
}

#[tokio::test]
async fn a_route_that_takes_links_is_walked_with_one_and_with_one_that_is_altered() {
    let site = Site::new().await;
    let router = Router::new()
        .route(
            "/{id}/link",
            post(async |note: Owned<Note>| -> Result<String, Rejection> {
                let hour = std::time::SystemTime::now() + std::time::Duration::from_hours(1);
                let link = note.link(LinkTerms::until(hour)).await?;
                Ok(link.token.expose().clone())
            })
            .owned::<Note>(),
        )
        .route(
            "/l/{token}/",
            get(async |note: Linked<Note>| note.body.expose().clone()).linked::<Note>(),
        );
    let app = site.palisade.protect(router).unwrap();
    let made = visit(
        &site.palisade,
        &app,
        Some(&site.owner),
        Method::POST,
        "/1/link",
        "",
    )
    .await
    .unwrap();
    let walk = || {
        Walk::new(&site.palisade, &app)
            .owner(&site.owner)
            .other(&site.other)
            .param("id", 1)
            .secret(SECRET)
    };
    let walked = walk().param("token", &made.text).run().await.unwrap();
    let altered = walked
        .steps()
        .iter()
        .filter(|step| step.rule.ends_with("altered"));
    assert!(altered.clone().count() > 3);
    assert!(
        altered
            .clone()
            .all(|step| step.answer == "404" || step.answer == "405" || step.answer == "401"),
        "{walked}"
    );
    // One that opens nothing for the owner proves nothing.
    let wrong = walk().param("token", "plk_none").run().await.unwrap_err();
    assert!(wrong.to_string().contains("are the parameters right?"), "{wrong}");
}
