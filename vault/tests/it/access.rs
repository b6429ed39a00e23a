//! Who reaches what: every route as everybody, and notes that are shared, until they are not.

use palisade::auth::User;
use palisade::rows::Role;
use palisade::sqlite::SqliteError;
use palisade::testing::{Walk, Who};

use crate::document_links;
use crate::site::{Site, Visitor};

const SECRET: &str = "4711-0815";

async fn keep(visitor: &mut Visitor, title: &str, body: &str) {
    visitor
        .submit("/secret/", &[("title", title), ("body", body)])
        .await
        .leads_to("/secret/shown/");
}

async fn share(visitor: &mut Visitor, with: &str, role: &str, until: &str) {
    let fields = [("username", with), ("role", role), ("until", until)];
    visitor
        .submit("/secret/1/share/", &fields)
        .await
        .leads_to("/secret/1/share/");
}

async fn user(site: &Site, name: &str) -> User {
    let users = site.palisade.users().unwrap().store();
    users.by_username(name).await.unwrap().unwrap()
}

#[tokio::test]
async fn whole_vault_answers_nobody_more_than_its_routes_say() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    keep(&mut anna, "Door", SECRET).await;
    for name in ["bob", "vera", "edith"] {
        site.member(name).await;
    }
    site.staff("stella").await;
    share(&mut anna, "vera", "viewer", "").await;
    share(&mut anna, "edith", "editor", "").await;
    anna.keep("Plan", "plan.txt", b"the plan says 0815")
        .await
        .leads_to("/documents/1/");
    for name in ["vera", "edith"] {
        anna.submit("/documents/1/share/", &[("username", name), ("until", "")])
            .await
            .leads_to("/documents/1/share/");
    }
    let address = document_links::link(&mut anna, "for the bank", "").await;
    let token = address.trim_start_matches("/d/").trim_end_matches('/');

    let walked = Walk::new(&site.palisade, &site.protected)
        .owner(&user(&site, "anna").await)
        .other(&user(&site, "bob").await)
        .granted(Role::Viewer, &user(&site, "vera").await)
        .granted(Role::Editor, &user(&site, "edith").await)
        .staff(&user(&site, "stella").await)
        .param("id", 1)
        .param_at("/d/{token}/", "token", token)
        .param_at("/d/{token}/file/", "token", token)
        .param_at("/d/{token}/picture/", "token", token)
        .param("handle", "0123456789abcdef")
        .param("uid", "MQ")
        .param("token", "set-password")
        .secret(SECRET)
        .secret("Door")
        .everybody_may(
            "/sessions/{handle}/end/",
            "looks among the sessions of who asks; a handle of somebody else's is none of them",
        )
        .run()
        .await
        .unwrap();
    let opened = |who: Who| {
        let step = |step: &&palisade::testing::Step| {
            step.path == "/secret/{id}/" && step.who == Some(who) && step.answer == "200"
        };
        walked.steps().iter().any(|one| step(&one))
    };
    assert!(opened(Who::Owner) && opened(Who::Granted(Role::Viewer)));
    assert!(!opened(Who::Other) && !opened(Who::Staff));
}

#[tokio::test]
async fn shared_note_is_seen_or_edited_and_stays_its_owners() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let mut bob = site.member("bob").await;
    keep(&mut anna, "Door", SECRET).await;
    bob.open("/shared/").await.says("Nothing here yet");

    share(&mut anna, "bob", "viewer", "").await;
    anna.open("/secret/1/share/")
        .await
        .says("Shared with bob, if somebody has this name.")
        .says("<strong>bob</strong>")
        .says("sees</span>")
        .says("until you take it back");
    bob.open("/shared/")
        .await
        .says("Door")
        .says("from anna")
        .hides("you may edit it");
    bob.open("/").await.hides("Door");
    let page = bob.open("/secret/1/").await;
    page.says(SECRET)
        .says("by anna, who shares it with you")
        .hides("/edit/")
        .hides("/share/")
        .hides("/delete/");
    for path in [
        "/secret/1/edit/",
        "/secret/1/share/",
        "/secret/1/delete/",
        "/secret/1/revoke/",
    ] {
        assert_eq!(bob.open(path).await.status, 404, "{path}");
        let fields = [
            ("title", "x"),
            ("body", "x"),
            ("role", "editor"),
            ("username", "bob"),
            ("owner", "2"),
        ];
        assert_eq!(bob.post(path, &fields, &page.token()).await.status, 404, "{path}");
    }

    share(&mut anna, "bob", "editor", "2099-12-31").await;
    anna.open("/secret/1/share/")
        .await
        .says("edits</span>")
        .says("the end of 31 December 2099");
    bob.open("/secret/1/edit/").await.says(SECRET);
    let fields = [("title", "Gate"), ("body", "1234"), ("owner", "2")];
    bob.submit("/secret/1/edit/", &fields)
        .await
        .leads_to("/secret/1/");
    bob.open("/secret/1/")
        .await
        .says("The note is changed.")
        .says("1234");
    anna.open("/").await.says("Gate");
    anna.open("/secret/1/")
        .await
        .says("1234")
        .says("/secret/1/share/");
}

#[tokio::test]
async fn what_was_taken_back_or_has_ended_opens_nothing() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let mut bob = site.member("bob").await;
    keep(&mut anna, "Door", SECRET).await;
    share(&mut anna, "bob", "editor", "").await;
    let form = bob.open("/secret/1/edit/").await;
    let token = anna.open("/secret/1/share/").await.token();
    anna.post("/secret/1/revoke/", &[("username", "bob")], &token)
        .await
        .leads_to("/secret/1/share/");
    anna.open("/secret/1/share/")
        .await
        .says("Nobody but you sees this note.");
    // The form that was open when it was taken back.
    let late = bob
        .post("/secret/1/edit/", &[("title", "x"), ("body", "x")], &form.token())
        .await;
    assert_eq!(late.status, 404);
    bob.open("/shared/").await.hides("Door");

    share(&mut anna, "bob", "editor", "2099-12-31").await;
    assert_eq!(bob.open("/secret/1/").await.status, 200);
    let ended = site.database.write(|writer| -> Result<usize, SqliteError> {
        writer.execute("UPDATE palisade_grant SET ends = 1700000000", [])
    });
    assert_eq!(ended.await.unwrap(), 1);
    assert_eq!(bob.open("/secret/1/").await.status, 404);
    bob.open("/shared/").await.hides("Door");
    anna.open("/secret/1/share/").await.says("ended").says("bob");

    share(&mut anna, "bob", "viewer", "").await;
    let token = bob.open("/secret/1/").await.says("Give this note up").token();
    bob.post("/secret/1/leave/", &[], &token)
        .await
        .leads_to("/shared/");
    assert_eq!(bob.open("/secret/1/").await.status, 404);
    anna.open("/secret/1/").await.says(SECRET);
}

/// Whoever shares a hundred notes with somebody hides nothing that others share.
#[tokio::test]
async fn flood_of_shared_notes_hides_none() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let mut bob = site.member("bob").await;
    site.member("mallory").await;
    keep(&mut anna, "Door", SECRET).await;
    share(&mut anna, "bob", "viewer", "").await;
    let flood = site.database.write(|writer| -> Result<usize, SqliteError> {
        writer.execute(
            "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 100)
             INSERT INTO vault_note (owner, title, body, written) SELECT 3, 'flood ' || n, '', 0 FROM many",
            [],
        )?;
        writer.execute(
            "INSERT INTO palisade_grant SELECT 'vault_note', id, '', 'bob', 2, 3, 10, NULL, 9999999999
             FROM vault_note WHERE owner = 3",
            [],
        )
    });
    assert_eq!(flood.await.unwrap(), 100);
    bob.open("/shared/")
        .await
        .says("from mallory")
        .hides("Door")
        .says("/shared/?page=2");
    bob.open("/shared/?page=2").await.says("Door").hides("?page=3");
    bob.open("/shared/?page=3").await.says("There is nothing more.");
    for first in ["0", "-1", "x", "99999999999"] {
        bob.open(&format!("/shared/?page={first}"))
            .await
            .says("from mallory");
    }
}

#[tokio::test]
async fn sharing_says_what_is_wrong_and_not_who_has_an_account() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    site.member("bob").await;
    keep(&mut anna, "Door", SECRET).await;
    let ask = |username, role, until| [("username", username), ("role", role), ("until", until)];
    for (fields, field, sentence) in [
        (ask("", "viewer", ""), "username", "This field is required."),
        (
            ask("anna", "viewer", ""),
            "username",
            "That is you: the note is yours already.",
        ),
        (ask("bob", "owner", ""), "role", "Select a valid choice."),
        (
            ask("bob", "viewer", "2020-01-01"),
            "until",
            "Enter a day that is not over yet.",
        ),
        (
            ask("bob", "viewer", "2030-02-30"),
            "until",
            "Enter a day that is not over yet.",
        ),
    ] {
        anna.submit("/secret/1/share/", &fields)
            .await
            .refuses(field, sentence);
    }
    let mut told = Vec::new();
    for name in ["bob", "zoe"] {
        share(&mut anna, name, "viewer", "").await;
        let page = anna.open("/secret/1/share/").await.text.replace(name, "somebody");
        let token = anna.open("/secret/1/share/").await.token();
        anna.post("/secret/1/revoke/", &[("username", name)], &token)
            .await
            .leads_to("/secret/1/share/");
        anna.open("/secret/1/share/").await;
        told.push(without_tokens(&page));
    }
    assert_eq!(told[0], told[1]);
}

/// Each page has tokens of its own.
fn without_tokens(page: &str) -> String {
    let mut parts = page.split("name=\"csrfmiddlewaretoken\" value=\"");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        text.push_str(part.split_once('"').unwrap().1);
    }
    text
}
