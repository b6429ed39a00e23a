//! What people write is Markdown, words to look for and reports: none of it becomes script, query text or a line of the log.

use crate::site::{Site, Visitor};

async fn keep(visitor: &mut Visitor, title: &str, body: &str) {
    visitor
        .submit("/secret/", &[("title", title), ("body", body)])
        .await
        .leads_to("/secret/shown/");
}

#[tokio::test]
async fn a_note_is_shown_as_markdown_and_as_it_was_written() {
    let mut anna = Site::open().member("anna").await;
    let body = "# Door\n\n**4711**\nsecond line\n\n- [map](https://example.com/)";
    keep(&mut anna, "Door", body).await;
    for page in ["/secret/shown/", "/secret/1/"] {
        anna.open(page)
            .await
            .says("<h1>Door</h1>")
            .says("<strong>4711</strong><br>")
            .says("<a href=\"https://example.com/\" rel=\"noopener nofollow ugc\">map</a>")
            .says("As it was written")
            .says("**4711**\nsecond line");
    }
}

#[tokio::test]
async fn script_in_a_note_is_text() {
    let mut anna = Site::open().member("anna").await;
    let body = "<script>owned=1</script>\n\n[x](javascript:owned=1) ![x](https://tracker.example/x.gif)\n\n<img src=x onerror=owned=1>";
    keep(&mut anna, "<img src=x onerror=owned=1>", body).await;
    for page in ["/secret/shown/", "/", "/?q=img", "/secret/1/"] {
        anna.open(page)
            .await
            .hides("<script>owned")
            .hides("<img")
            .hides("href=\"javascript")
            .hides("src=\"https://tracker");
    }
    anna.open("/secret/1/").await.says("&lt;script&gt;owned=1");
}

#[tokio::test]
async fn notes_are_found_by_words_of_their_titles_alone() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    keep(&mut anna, "Front door", "the code is 4711").await;
    keep(&mut anna, "Back door 100%", "x").await;
    keep(&mut anna, "Bank", "x").await;
    anna.open("/?q=door")
        .await
        .says("Front door")
        .says("Back door")
        .hides("Bank");
    anna.open("/?q=DOOR&sort=title").await.says("Front door");
    // What is searched for stands in the address, and a secret must not.
    anna.open("/?q=4711")
        .await
        .hides("Front door")
        .says("No title has");
    anna.open("/?q=%25").await.says("Back door 100%").hides("Bank");
    anna.open("/?q=_").await.hides("Bank");
    anna.open("/?q=%27%20OR%201%3D1%20--").await.hides("Bank");
    let mut bob = site.member("bob").await;
    bob.open("/?q=door").await.hides("Front door");
}

#[tokio::test]
async fn notes_are_sorted_by_an_order_of_the_list_and_by_no_other() {
    let mut anna = Site::open().member("anna").await;
    for title in ["Birch", "apple", "Cedar"] {
        keep(&mut anna, title, "x").await;
    }
    for (sort, order) in [
        ("newest", ["Cedar", "apple", "Birch"]),
        ("oldest", ["Birch", "apple", "Cedar"]),
        ("title", ["apple", "Birch", "Cedar"]),
        ("body;DROP%20TABLE%20vault_note", ["Cedar", "apple", "Birch"]),
        ("-title", ["Cedar", "apple", "Birch"]),
    ] {
        let page = anna.open(&format!("/?sort={sort}")).await.text.clone();
        let places = order.map(|title| page.find(&format!("title\">{title}")).unwrap());
        assert!(places.is_sorted(), "{sort}: {places:?}");
    }
}

#[tokio::test]
async fn staff_reads_what_browsers_report_and_clears_it() {
    let site = Site::open();
    let mut anna = site.staff("anna").await;
    let policy = anna.open("/").await.header("content-security-policy").to_owned();
    assert!(
        policy.contains("report-uri /csp-report; report-to csp-endpoint"),
        "{policy}"
    );
    anna.open("/staff/").await.says("/staff/csp/");
    anna.open("/staff/csp/").await.says("Nothing was stopped");

    let report = r#"{"csp-report":{"document-uri":"https://localhost/secret/1/?q=private","blocked-uri":"inline",
        "effective-directive":"script-src-elem","source-file":"https://evil.example/<script>"}}"#;
    let mut stranger = site.visitor();
    for _ in 0..3 {
        let answer = stranger
            .send_as("/csp-report", "application/csp-report", report)
            .await;
        assert_eq!(answer.status, 204);
    }
    let page = anna.open("/staff/csp/").await;
    page.says("/secret/1/")
        .says("script-src-elem")
        .says("3 ×")
        .hides("private")
        .hides("<script>");
    let token = page.token();
    anna.post("/staff/csp/clear/", &[], &token)
        .await
        .leads_to("/staff/csp/");
    anna.open("/staff/csp/")
        .await
        .says("The reports are cleared.")
        .says("Nothing was stopped");
}

#[tokio::test]
async fn reports_are_for_staff() {
    let site = Site::open();
    let mut bob = site.member("bob").await;
    assert_eq!(bob.open("/staff/csp/").await.status, 403);
    let token = bob.open("/").await.token();
    assert_eq!(bob.post("/staff/csp/clear/", &[], &token).await.status, 403);
    let mut stranger = site.visitor();
    assert_eq!(stranger.open("/staff/csp/").await.status, 302);
    assert_eq!(stranger.open("/csp-report").await.status, 405);
}
