//! Notes go one way: in by a form, out once on the secure page, and afterwards to their owner alone.

use crate::site::{Site, Visitor};

async fn keep(visitor: &mut Visitor, title: &str, body: &str) {
    visitor
        .submit("/secret/", &[("title", title), ("body", body)])
        .await
        .leads_to("/secret/shown/");
}

#[tokio::test]
async fn secret_is_shown_once_on_a_page_that_nobody_keeps() {
    let mut anna = Site::open().member("anna").await;
    keep(&mut anna, "Door", "4711-0815").await;
    let page = anna.open("/secret/shown/").await;
    page.says("data-secret").says("4711-0815");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    anna.open("/secret/shown/")
        .await
        .hides("4711-0815")
        .says("Nothing to show");
    anna.open("/").await.says("Door").hides("4711-0815");
    anna.open("/secret/1/").await.says("4711-0815");
}

#[tokio::test]
async fn somebody_elses_note_is_not_there() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    keep(&mut anna, "Door", "4711-0815").await;
    let mut bob = site.member("bob").await;
    for path in [
        "/secret/1/",
        "/secret/2/",
        "/secret/x/",
        "/secret/99999999999999999999/",
    ] {
        let page = bob.open(path).await;
        assert_eq!(page.status, 404, "{path}");
        page.says("There is no such note, or it is not one of yours.")
            .hides("4711")
            .hides("Door");
    }
    let token = bob.open("/").await.token();
    assert_eq!(bob.post("/secret/1/delete/", &[], &token).await.status, 404);
    anna.open("/secret/1/").await.says("4711-0815");
    let stranger = site.visitor().open("/secret/1/").await;
    assert_eq!(
        (stranger.status.as_u16(), stranger.header("location")),
        (302, "/login/?next=/secret/1/")
    );
}

#[tokio::test]
async fn owner_of_a_note_is_who_is_logged_in_whatever_the_form_says() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let mut bob = site.member("bob").await;
    let fields = [
        ("title", "Planted"),
        ("body", "x"),
        ("owner", "1"),
        ("owner_id", "1"),
    ];
    bob.submit("/secret/", &fields).await.leads_to("/secret/shown/");
    anna.open("/").await.hides("Planted");
    bob.open("/").await.says("Planted");
}

#[tokio::test]
async fn deleted_note_is_gone_and_the_page_says_so() {
    let mut anna = Site::open().member("anna").await;
    keep(&mut anna, "Door", "4711-0815").await;
    let token = anna.open("/secret/1/").await.says("Yes, delete it").token();
    anna.open("/secret/1/delete/").await.leads_to("/secret/1/");
    anna.post("/secret/1/delete/", &[], &token).await.leads_to("/");
    anna.open("/").await.says("The note is deleted.").hides("Door");
    assert_eq!(anna.open("/secret/1/").await.status, 404);
}

#[tokio::test]
async fn script_in_a_note_is_text_wherever_it_is_shown() {
    let mut anna = Site::open().member("anna").await;
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    keep(&mut anna, evil, evil).await;
    for path in ["/secret/shown/", "/secret/1/", "/"] {
        anna.open(path)
            .await
            .says("&lt;script&gt;")
            .hides("<script")
            .hides("<img");
    }
}
