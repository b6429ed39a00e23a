//! The browser: its names, its trust, its console.

use testkit::{Authority, Browser, Site, WeakTwin};

use axum::Router;
use axum::response::Html;
use axum::routing::get;

#[tokio::test]
async fn name_leads_to_the_site_and_its_key_is_trusted_without_a_warning() {
    let twin = WeakTwin::start(&Authority::new().unwrap(), "weak.test")
        .await
        .unwrap();
    let browser = Browser::setup()
        .visit("weak.test", twin.site())
        .start()
        .await
        .unwrap();
    browser.open("https://weak.test/login/").await.unwrap();
    assert_eq!(browser.url().await.unwrap(), "https://weak.test/login/");
    assert_eq!(browser.status().await.unwrap(), 200);
    assert_eq!(browser.run("return isSecureContext", &[]).await.unwrap(), true);
}

#[tokio::test]
async fn unknown_name_and_unknown_key_lead_nowhere() {
    let twin = WeakTwin::start(&Authority::new().unwrap(), "weak.test")
        .await
        .unwrap();
    let browser = Browser::setup()
        .resolve("weak.test:443", twin.address())
        .start()
        .await
        .unwrap();
    browser.open("https://weak.test/").await.unwrap();
    assert_eq!(browser.title().await.unwrap(), "Privacy error");
    assert_eq!(browser.status().await.unwrap(), 0);
    assert!(browser.open("https://example.com/").await.is_err());
}

#[tokio::test]
async fn refused_script_is_a_complaint() {
    let strict = [("content-security-policy", "default-src 'none'")];
    let page = get(async move || {
        (
            strict,
            Html("<title>quiet</title><script>document.title = 'ran'</script>"),
        )
    });
    let site = Site::plain(Router::new().route("/", page)).await.unwrap();
    let browser = Browser::setup()
        .visit("strict.test", &site)
        .start()
        .await
        .unwrap();
    browser.open("http://strict.test/").await.unwrap();
    assert_eq!(browser.title().await.unwrap(), "quiet");
    let complaints = browser.complaints().await.unwrap().join("\n");
    assert!(complaints.contains("Content Security Policy"), "{complaints}");
}

#[tokio::test]
async fn picture_of_the_window_is_written_where_it_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::plain(Router::new().route("/", get(async || Html("<h1>Hello</h1>"))))
        .await
        .unwrap();
    let browser = Browser::setup()
        .visit("hello.test", &site)
        .window(400, 300)
        .start()
        .await
        .unwrap();
    browser.open("http://hello.test/").await.unwrap();
    let path = folder.path().join("new").join("hello.png");
    browser.screenshot(&path).await.unwrap();
    assert!(std::fs::read(path).unwrap().starts_with(b"\x89PNG"));
}
