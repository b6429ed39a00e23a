//! A note is written in Markdown, found, shared with somebody until a day, edited by them, and gone for them after that day.

use std::time::Duration;

use anyhow::{Result, ensure};
use gauntlet::Person;
use testkit::browser::Seat;

use crate::{ANNA, ENTER, Journey, hides, says};

const GRACE: Person = Person {
    username: "grace",
    password: "seven lamps on a bridge",
};

const NOTE: &str = "# Under the third stone\n\nFirst **the gate**, then:\n\n- the green key\n- the blue one\n\n> Mind the dog.\n\n\
     | door | code |\n|---|---|\n| gate | `4711` |\n\nSee [the map](https://example.com/map) <b onclick=alert(1)>";

#[tokio::test]
async fn note_is_written_in_markdown_found_and_deleted() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    journey.open("/").await?;
    journey.look("welcome").await?;
    journey.join(ANNA).await?;
    says(&journey.says().await?, &["Welcome.", "Nothing here yet"]);
    journey.look("notes-none").await?;

    browser.follow("main .empty .button").await?;
    browser.click(".marks summary").await?;
    journey.look("write").await?;
    browser.fill("title", "The summer house").await?;
    browser.fill("body", NOTE).await?;
    browser.submit().await?;
    says(&journey.says().await?, &["Kept.", "Under the third stone"]);
    journey.look("shown").await?;
    let whole = browser.text(".prose").await?;
    says(&whole, &["the green key", "4711", "<b onclick=alert(1)>"]);
    for rendered in ["strong", "ul li", "blockquote", "table td code"] {
        ensure!(
            browser.has(&format!(".prose {rendered}")).await?,
            "no {rendered} in {whole}"
        );
    }
    let link = browser.find(".prose a").await?.attr("href").await?;
    assert_eq!(link.as_deref(), Some("https://example.com/map"));
    browser.click(".written summary").await?;
    says(&browser.text(".written pre").await?, &["**the gate**"]);

    browser.follow("main .actions .button").await?;
    journey
        .keep_secret("A letter not yet sent", "Dear Grace, …")
        .await?;
    journey.open("/").await?;
    journey.look("notes").await?;
    browser.tab_to("[name=q]").await?;
    browser.press("SUMMER").await?;
    browser.enter(ENTER).await?;
    let found = journey.says().await?;
    says(&found, &["The summer house"]);
    hides(&found, &["A letter"]);
    browser.fill("q", "winter").await?;
    browser.enter(ENTER).await?;
    says(&journey.says().await?, &["No title has “winter” in it."]);
    journey.look("notes-not-found").await?;

    browser.follow("main .help a").await?;
    browser.tab_to(".notes a[href='/secret/1/']").await?;
    browser.enter(ENTER).await?;
    browser.tab_to("details.danger summary").await?;
    browser.press(" ").await?;
    journey.look("note").await?;
    browser.tab_to("button.danger").await?;
    browser.enter(ENTER).await?;
    let page = journey.says().await?;
    says(&page, &["The note is deleted.", "A letter not yet sent"]);
    hides(&page, &["The summer house"]);
    journey.open("/secret/1/").await?;
    assert_eq!(browser.status().await?, 404);
    says(&journey.says().await?, &["There is nothing here"]);
    journey.look("nothing-here").await
}

/// The owner shares her note with grace, to be edited until tomorrow is over.
async fn share(journey: &Journey) -> Result<()> {
    let browser = &journey.browser;
    journey.open("/secret/1/").await?;
    browser.follow("a[href='/secret/1/share/']").await?;
    says(&journey.says().await?, &["Nobody but you sees this note."]);
    journey.look("share").await?;

    browser.fill("username", "anna").await?;
    browser
        .find("[name=role] option[value=viewer]")
        .await?
        .click()
        .await?;
    browser.submit().await?;
    journey.refuses("username", "That is you").await?;
    journey.look("share-refused").await?;
    // Without a mouse: the name, what they may, and no day.
    browser.fill("username", "").await?;
    browser.press("grace").await?;
    browser.tab_to("[name=role]").await?;
    browser.press("see it").await?;
    browser.tab_to("form.card button").await?;
    browser.enter(ENTER).await?;
    let page = journey.says().await?;
    says(
        &page,
        &[
            "Shared with grace, if somebody has this name.",
            "sees",
            "until you take it back",
        ],
    );
    // She may edit from now on, until tomorrow is over.
    browser.fill("username", "grace").await?;
    browser
        .find("[name=role] option[value=editor]")
        .await?
        .click()
        .await?;
    journey.choose_day("until", 1).await?;
    browser.submit().await?;
    says(&journey.says().await?, &["edits", "until the end of"]);
    journey.look("share-with").await
}

#[tokio::test]
async fn note_is_shared_until_a_day_edited_and_taken_back() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    journey.join(GRACE).await?;
    journey.open("/shared/").await?;
    says(&journey.says().await?, &["Nothing here yet"]);
    journey.look("shared-none").await?;
    let grace = browser.seat(Seat::default()).await?;
    journey.join(ANNA).await?;
    journey
        .keep_secret("The summer house", "4711, then the green key")
        .await?;
    share(&journey).await?;

    let anna = browser.seat(grace).await?;
    journey.open("/shared/").await?;
    says(
        &journey.says().await?,
        &["The summer house", "from anna, you may edit it"],
    );
    journey.look("shared").await?;
    browser.follow(".notes a").await?;
    says(
        &journey.says().await?,
        &["by anna, who shares it with you", "4711"],
    );
    journey.look("note-of-another").await?;
    ensure!(
        !browser.has("a[href='/secret/1/share/']").await?,
        "she may share it on"
    );
    browser.follow("a[href='/secret/1/edit/']").await?;
    journey.look("edit").await?;
    browser.fill("body", "4712, and the key is blue").await?;
    browser.submit().await?;
    says(&journey.says().await?, &["The note is changed.", "4712"]);

    journey.passes(Duration::from_hours(48));
    for gone in ["/secret/1/", "/secret/1/edit/"] {
        journey.open(gone).await?;
        assert_eq!(browser.status().await?, 404, "{gone}");
        hides(&journey.says().await?, &["4712", "summer"]);
    }
    journey.open("/shared/").await?;
    says(&journey.says().await?, &["Nothing here yet"]);

    let grace = browser.seat(anna).await?;
    journey.open("/secret/1/").await?;
    says(&journey.says().await?, &["4712, and the key is blue"]);
    journey.open("/secret/1/share/").await?;
    says(&journey.says().await?, &["ended", "was until the end of"]);
    journey.look("share-ended").await?;
    browser.fill("username", "grace").await?;
    browser
        .find("[name=role] option[value=viewer]")
        .await?
        .click()
        .await?;
    browser.submit().await?;
    browser.seat(grace).await?;
    journey.open("/secret/1/").await?;
    ensure!(
        !browser.has("a[href='/secret/1/edit/']").await?,
        "who sees it may edit it"
    );
    browser.click("details.danger summary").await?;
    browser.follow("button.danger").await?;
    says(
        &journey.says().await?,
        &["The note is not shared with you any more.", "Nothing here yet"],
    );
    assert_eq!(journey.complaints().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn sharing_is_taken_back_by_its_button() -> Result<()> {
    let journey = Journey::begin().await?;
    let browser = &journey.browser;
    journey.join(ANNA).await?;
    journey.keep_secret("The summer house", "4711").await?;
    journey.open("/secret/1/share/").await?;
    browser.fill("username", "nobody-has-it").await?;
    browser
        .find("[name=role] option[value=viewer]")
        .await?
        .click()
        .await?;
    browser.submit().await?;
    browser.tab_to(".grants button").await?;
    browser.enter(ENTER).await?;
    let page = journey.says().await?;
    says(
        &page,
        &[
            "Not shared with nobody-has-it any more.",
            "Nobody but you sees this note.",
        ],
    );
    Ok(())
}
