//! A document is kept, looked at, fetched, shared with somebody, sent by a link, and gone when it is deleted.
//!
//! The link is followed by somebody who has no account, on a phone, until it is taken back.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gauntlet::Person;
use serde_json::json;
use tempfile::TempDir;

use crate::{ANNA, ENTER, Journey, hides, says};

const GRACE: Person = Person {
    username: "grace",
    password: "seven lamps on a bridge",
};

/// A grey picture of eight by eight points.
const PICTURE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR4nGNsYIAAJgaKGAAmCACQXTClHgAAAABJRU5ErkJggg==";

/// A folder of the person's own machine, with files to be sent from it.
fn own_files() -> Result<TempDir> {
    let folder = TempDir::with_prefix("own-")?;
    std::fs::write(folder.path().join("plan.png"), STANDARD.decode(PICTURE)?)?;
    std::fs::write(folder.path().join("codes.txt"), "gate 4711\ncellar 0815\n")?;
    std::fs::write(folder.path().join("page.png"), "<!doctype html><title>no</title>")?;
    Ok(folder)
}

async fn keep(journey: &Journey, folder: &TempDir, title: &str, file: &str) -> Result<()> {
    let browser = &journey.browser;
    journey.open("/documents/new/").await?;
    browser.fill("title", title).await?;
    browser.choose("document", &folder.path().join(file)).await?;
    browser.submit().await
}

/// What a link of the page answers with when the browser fetches it: its status, type, disposition and text.
async fn fetched(journey: &Journey, selector: &str) -> Result<String> {
    let script = "const root = document.documentElement;
        delete root.dataset.result;
        fetch(document.querySelector(arguments[0]).href).then(async answer => {
            const headers = ['content-type', 'content-disposition'].map(name => answer.headers.get(name));
            root.dataset.result = [answer.status, ...headers, await answer.text()].join(' | ');
        }).catch(error => { root.dataset.result = String(error); })";
    journey.browser.run(script, &[json!(selector)]).await?;
    journey.browser.result().await
}

#[tokio::test]
async fn document_is_kept_looked_at_fetched_and_deleted() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    let files = own_files()?;
    journey.join(ANNA).await?;
    browser.tab_to("nav a[href='/documents/']").await?;
    browser.enter(ENTER).await?;
    says(&journey.says().await?, &["Your documents", "Nothing here yet"]);
    journey.look("documents-none").await?;

    browser.follow("main .empty .button").await?;
    journey.look("keep").await?;
    keep(&journey, &files, "Not a picture", "page.png").await?;
    journey.refuses("document", "").await?;
    journey.look("keep-refused").await?;

    keep(&journey, &files, "The plan of the house", "plan.png").await?;
    says(
        &journey.says().await?,
        &[
            "The document is kept.",
            "The plan of the house",
            "plan.png",
            "Picture",
        ],
    );
    let drawn = "return document.querySelector('.document img').naturalWidth";
    ensure!(browser.run(drawn, &[]).await? == 8, "the picture is not shown");
    journey.look("document-picture").await?;

    keep(&journey, &files, "", "codes.txt").await?;
    says(&journey.says().await?, &["codes.txt", "Text"]);
    journey.look("document").await?;
    let file = fetched(&journey, "main .actions .button").await?;
    says(
        &file,
        &[
            "200",
            "text/plain",
            "attachment; filename=\"codes.txt\"",
            "gate 4711",
        ],
    );

    journey.open("/documents/").await?;
    says(&journey.says().await?, &["codes.txt", "The plan of the house"]);
    journey.look("documents").await?;
    browser.tab_to(".notes a[href='/documents/2/']").await?;
    browser.enter(ENTER).await?;
    browser.tab_to("details.danger summary").await?;
    browser.press(" ").await?;
    browser.tab_to("button.danger").await?;
    browser.enter(ENTER).await?;
    let page = journey.says().await?;
    says(&page, &["The document is deleted.", "The plan of the house"]);
    hides(&page, &["codes.txt"]);
    Ok(())
}

#[tokio::test]
async fn document_is_shared_seen_and_taken_back() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    let files = own_files()?;
    journey.join(GRACE).await?;
    journey.log_out().await?;
    journey.join(ANNA).await?;
    keep(&journey, &files, "Codes", "codes.txt").await?;
    browser.follow("a[href='/documents/1/share/']").await?;
    says(&journey.says().await?, &["Nobody but you sees this document."]);
    journey.look("document-share").await?;
    browser.fill("username", "grace").await?;
    browser.submit().await?;
    says(
        &journey.says().await?,
        &[
            "Shared with grace, if somebody has this name.",
            "until you take it back",
        ],
    );
    journey.log_out().await?;

    journey.log_in(GRACE).await?;
    journey.open("/documents/").await?;
    says(&journey.says().await?, &["Shared with you", "Codes", "from anna"]);
    journey.look("documents-shared").await?;
    browser.follow(".notes a").await?;
    says(&journey.says().await?, &["by anna, who shares it with you"]);
    journey.look("document-of-anna").await?;
    let file = fetched(&journey, "main .actions .button").await?;
    says(&file, &["200", "gate 4711"]);
    journey.log_out().await?;

    journey.log_in(ANNA).await?;
    journey.open("/documents/1/share/").await?;
    browser.follow(".grants button").await?;
    says(&journey.says().await?, &["Not shared with grace any more."]);
    journey.log_out().await?;
    journey.log_in(GRACE).await?;
    journey.open("/documents/1/").await?;
    assert_eq!(browser.status().await?, 404);
    Ok(())
}

/// Opens the address of a link as somebody does who has got it in a message.
async fn follow_link(journey: &Journey, address: &str) -> Result<()> {
    let (_, token) = address.split_once("/d/").context("that is no link")?;
    journey.open(&format!("/d/{token}")).await
}

#[tokio::test]
async fn document_is_linked_opened_by_a_stranger_and_taken_back() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    let files = own_files()?;
    journey.join(ANNA).await?;
    keep(&journey, &files, "The plan of the house", "plan.png").await?;
    browser.follow("a[href='/documents/1/links/']").await?;
    says(&journey.says().await?, &["No link leads to this document."]);
    journey.look("links-none").await?;
    browser.fill("label", "For the plumber").await?;
    journey.choose_day("until", 60).await?;
    browser.submit().await?;
    journey.refuses("until", "thirty days at most").await?;
    journey.look("links-refused").await?;
    journey.choose_day("until", 2).await?;
    browser.submit().await?;
    let page = journey.says().await?;
    says(&page, &["The link is made.", "For the plumber", "not opened yet"]);
    journey.look("links").await?;
    let shown = browser
        .run("return document.querySelector('#address').value", &[])
        .await?;
    let address = shown.as_str().context("no address is shown")?.to_owned();
    journey.open("/documents/1/links/").await?;
    hides(&journey.says().await?, &["The link is made."]);
    journey.log_out().await?;

    follow_link(&journey, &address).await?;
    let page = journey.says().await?;
    says(
        &page,
        &["The plan of the house", "Somebody gave you the link", "plan.png"],
    );
    hides(&page, &["anna", "plumber"]);
    journey.look("linked").await?;
    let file = fetched(&journey, "main .actions .button").await?;
    says(&file, &["200 | image/png | attachment; filename=\"plan.png\""]);

    journey.log_in(ANNA).await?;
    journey.open("/documents/1/links/").await?;
    says(&journey.says().await?, &["last opened about"]);
    browser.follow(".grants button").await?;
    says(
        &journey.says().await?,
        &[
            "That link leads nowhere any more.",
            "No link leads to this document.",
        ],
    );
    journey.log_out().await?;
    follow_link(&journey, &address).await?;
    assert_eq!(browser.status().await?, 404);
    journey.look("linked-ended").await
}
