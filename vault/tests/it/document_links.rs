//! Links to documents: made, opened by a stranger, bound to somebody, taken back.

use crate::site::{Shown, Site, Visitor};

const TEXT: &[u8] = b"the combination is 4711\n";

/// Who is not logged in is asked to.
#[track_caller]
fn asks_to_log_in(page: &Shown, path: &str) {
    let next = format!("/login/?next={path}");
    assert_eq!(
        (page.status.as_u16(), page.header("location")),
        (302, next.as_str())
    );
}

/// The last day of a link that has some left, whatever the day is.
fn tomorrow() -> String {
    let at = time::OffsetDateTime::now_utc() + time::Duration::days(1);
    at.date().to_string()
}

/// The path that the page shows, once.
fn address(page: &Shown) -> String {
    let (_, rest) = page.text.split_once("/d/plk_").expect("an address");
    format!("/d/plk_{}", rest.split('"').next().unwrap())
}

pub(crate) async fn link(owner: &mut Visitor, label: &str, username: &str) -> String {
    let fields = [("label", label), ("until", &tomorrow()), ("username", username)];
    owner
        .submit("/documents/1/links/", &fields)
        .await
        .leads_to("/documents/1/links/");
    let page = owner.open("/documents/1/links/").await;
    page.says("The link is made.").says(label);
    let address = address(&page);
    owner.open("/documents/1/links/").await.hides("plk_");
    address
}

#[tokio::test]
async fn stranger_opens_a_link_until_it_is_taken_back() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    anna.keep("The safe", "safe.txt", TEXT)
        .await
        .leads_to("/documents/1/");
    anna.open("/documents/1/links/")
        .await
        .says("No link leads to this document.");
    let address = link(&mut anna, "for the bank", "").await;

    let mut stranger = site.visitor();
    let page = stranger.open(&address).await;
    page.says("The safe")
        .says("24 bytes")
        .hides("anna")
        .hides("/documents/1/");
    let file = stranger.open(&format!("{address}file/")).await;
    assert_eq!((file.status.as_u16(), &file.body[..]), (200, TEXT));
    for answer in [&page, &file] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert!(answer.header("x-robots-tag").contains("noindex"));
    }
    for path in ["/documents/1/", "/documents/1/file/", "/documents/1/links/"] {
        asks_to_log_in(&stranger.open(path).await, path);
    }
    let mut bob = site.member("bob").await;
    assert_eq!(bob.open("/documents/1/links/").await.status, 404);
    assert_eq!(
        stranger
            .open(&address.replace("/d/plk_", "/d/plk_A"))
            .await
            .status,
        404
    );

    anna.open("/documents/1/links/")
        .await
        .hides("not opened yet")
        .says("last opened about");
    let token = anna.open("/documents/1/links/").await.token();
    anna.post("/documents/1/links/end/", &[("link", "")], &token)
        .await
        .leads_to("/documents/1/links/");
    for path in ["", "file/", "picture/"] {
        assert_eq!(
            stranger.open(&format!("{address}{path}")).await.status,
            404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn link_for_one_person_asks_who_one_is() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let mut bob = site.member("bob").await;
    anna.keep("The safe", "safe.txt", TEXT)
        .await
        .leads_to("/documents/1/");
    let address = link(&mut anna, "", "bob").await;
    bob.open(&address).await.says("The safe");
    asks_to_log_in(&site.visitor().open(&address).await, &address);
    assert_eq!(site.member("cy").await.open(&address).await.status, 404);
    anna.open("/documents/1/links/").await.says("only for bob");
}

#[tokio::test]
async fn what_is_wrong_with_a_link_is_said_beside_its_field() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    anna.keep("The safe", "safe.txt", TEXT)
        .await
        .leads_to("/documents/1/");
    for (until, sentence) in [
        ("2020-01-01", "Enter a day that is not over yet."),
        ("2099-01-01", "A link lives thirty days at most"),
        ("2030-02-31", "Enter a day, such as"),
    ] {
        let page = anna
            .submit(
                "/documents/1/links/",
                &[("label", ""), ("until", until), ("username", "")],
            )
            .await;
        assert_eq!(page.status, 422);
        page.says(sentence);
    }
}
