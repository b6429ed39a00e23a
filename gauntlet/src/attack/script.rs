//! `cross-site-scripting`, `sql-injection`: what a person writes becomes script or query text.

use anyhow::{Result, ensure};
use http::Method;
use testkit::Visitor;
use testkit::script_vectors::{HTML, MARKDOWN};

use super::Outcome;
use crate::{Person, Target};

/// How a tag begins that runs script or a page of its own.
const BEGINNINGS: [&str; 4] = ["script", "iframe", "object", "embed"];

/// The addresses that run script when they are clicked on.
const ADDRESSES: [&str; 4] = [
    "href=\"javascript:",
    "href=\"java&",
    "href=\"data:",
    "href=\"vbscript:",
];

/// Signs somebody up, and in.
async fn member(target: &Target, username: &str) -> Result<Visitor> {
    let mut visitor = target.visitor()?;
    let password = Person::VICTIM.password;
    let fields = [
        ("username", username),
        ("email", ""),
        ("password1", password),
        ("password2", password),
    ];
    let reply = visitor.submit("/signup/", &fields).await?;
    ensure!(
        reply.status.is_redirection(),
        "sign-up was answered with {}",
        reply.status
    );
    if visitor.cookie("sessionid").is_none() {
        visitor
            .submit("/login/", &[("username", username), ("password", password)])
            .await?;
    }
    ensure!(
        visitor.cookie("sessionid").is_some(),
        "{username} is not logged in"
    );
    Ok(visitor)
}

/// Writes a note, and returns the page on which it is shown.
async fn keep(visitor: &mut Visitor, title: &str, body: &str) -> Result<String> {
    let reply = visitor
        .submit("/secret/", &[("title", title), ("body", body)])
        .await?;
    let shown = reply.header("location").to_owned();
    ensure!(!shown.is_empty(), "the note was answered with {}", reply.status);
    let page = visitor.open(&shown).await?;
    ensure!(page.status.is_success(), "the note is shown with {}", page.status);
    Ok(page.text())
}

/// The tags of a page that are live, between its bar and its footer. In text, `<` is never written as it is.
fn live(page: &str) -> Vec<String> {
    let main = page.split_once("<main").map_or(page, |(_, main)| main);
    let tags = main.split('<').filter_map(|rest| rest.split('>').next());
    tags.map(str::to_lowercase)
        .filter(|tag| {
            // What stands in quotes is a value, whatever it says.
            let outside: String = tag.split('"').step_by(2).collect();
            BEGINNINGS.iter().any(|begin| tag.starts_with(begin))
                || outside
                    .split([' ', '\t', '\n', '\u{c}', '\r', '/'])
                    .any(|word| word.starts_with("on") && word.contains('='))
                || ADDRESSES.iter().any(|address| tag.contains(address))
        })
        .collect()
}

/// `cross-site-scripting`: keeps notes that are script in HTML and in Markdown, and looks whether the page that shows them holds it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn script_in_markdown(target: &Target) -> Result<Outcome> {
    let mut ann = member(target, "script-markdown").await?;
    let mut found = Vec::new();
    // A form refuses a note with a NUL as a whole.
    let vectors = HTML.iter().chain(MARKDOWN).copied();
    let vectors: Vec<&str> = vectors.filter(|vector| !vector.contains('\0')).collect();
    for chunk in vectors.chunks(20) {
        let page = keep(&mut ann, "a note", &chunk.join("\n\n")).await?;
        ensure!(page.contains("owned"), "the note is not shown at all");
        found.extend(live(&page));
    }
    Ok(Outcome::new(
        !found.is_empty(),
        format!("the pages hold {found:?}"),
    ))
}

/// `cross-site-scripting`: keeps links that run script once somebody clicks on them.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn script_in_a_link(target: &Target) -> Result<Outcome> {
    let mut ann = member(target, "script-link").await?;
    let body =
        "[click](javascript:owned=1)\n\n[here](JaVaScRiPt:owned=1)\n\n[there](java&Tab;script:owned=1)";
    let page = keep(&mut ann, "links", body).await?;
    let lower = page.to_lowercase();
    let leads = lower
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|address| {
            let address = address.replace("&tab;", "");
            address.trim_start().starts_with("javascript:")
        });
    let leads: Vec<&str> = leads.collect();
    Ok(Outcome::new(
        !leads.is_empty(),
        format!("links lead to {leads:?}"),
    ))
}

/// `cross-site-scripting`: gives a note a title that is script, and looks at the list and at the note's page.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn script_in_a_title(target: &Target) -> Result<Outcome> {
    let mut ann = member(target, "script-title").await?;
    let title = "</title><script>owned=1</script><img src=x onerror=owned=1>";
    let mut pages = keep(&mut ann, title, "x").await?;
    pages.push_str(&ann.open("/").await?.text());
    pages.push_str(&ann.open("/?q=owned").await?.text());
    let found = live(&pages);
    Ok(Outcome::new(
        !found.is_empty(),
        format!("the pages hold {found:?}"),
    ))
}

/// `sql-injection`: asks for an order that depends on a letter of somebody else's secret.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn secret_by_order(target: &Target) -> Result<Outcome> {
    let mut victim = member(target, "sort-victim").await?;
    keep(&mut victim, "safe", "combination-4711").await?;
    let mut thief = member(target, "sort-thief").await?;
    for title in ["alpha", "omega"] {
        keep(&mut thief, title, "x").await?;
    }
    let mut orders = Vec::new();
    for guess in ["combination-4", "combination-5"] {
        let sort = format!(
            "(CASE+WHEN+EXISTS(SELECT+1+FROM+vault_note+WHERE+body+LIKE+'{guess}%25')+THEN+id+ELSE+-id+END)"
        );
        let page = thief.open(&format!("/?sort={sort}")).await?.text();
        let (first, second) = (page.find("alpha"), page.find("omega"));
        ensure!(first.is_some() && second.is_some(), "the notes are not listed");
        orders.push(first < second);
    }
    Ok(Outcome::new(
        orders.first() != orders.last(),
        format!("alpha stands first for each guess: {orders:?}"),
    ))
}

/// `sql-injection`: searches for words that end the query's text and put another query behind it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn secret_by_search(target: &Target) -> Result<Outcome> {
    let mut victim = member(target, "search-victim").await?;
    keep(&mut victim, "safe", "combination-4711").await?;
    let mut thief = member(target, "search-thief").await?;
    let page = thief
        .open("/?q=nothing%25'+UNION+SELECT+body+FROM+vault_note+--+")
        .await?
        .text();
    Ok(Outcome::new(
        page.contains("combination-4711"),
        format!("the secret is on the page: {}", page.contains("combination-4711")),
    ))
}

/// `sql-injection`: searches for wild cards, which find what does not have them in it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn wild_card_in_a_search(target: &Target) -> Result<Outcome> {
    let mut ann = member(target, "wild-card").await?;
    keep(&mut ann, "savings", "x").await?;
    let mut found = Vec::new();
    for search in ["%25", "_", "s%25s", "sa_ings"] {
        if ann
            .open(&format!("/?q={search}"))
            .await?
            .text()
            .contains("savings")
        {
            found.push(search);
        }
    }
    ensure!(
        ann.open("/?q=saving").await?.text().contains("savings"),
        "the search finds nothing at all"
    );
    Ok(Outcome::new(
        !found.is_empty(),
        format!("savings is found by {found:?}"),
    ))
}

async fn report(target: &Target, body: String) -> Result<()> {
    let mut visitor = target.visitor()?;
    let request = visitor
        .request(Method::POST, "/csp-report")
        .header("content-type", "application/csp-report");
    visitor.send(request, body.into()).await?;
    Ok(())
}

fn violation(target: &Target, document: &str, directive: &str) -> String {
    format!(
        r#"{{"csp-report":{{"document-uri":"https://{}{document}","blocked-uri":"inline","effective-directive":"{directive}"}}}}"#,
        target.host()
    )
}

/// `cross-site-scripting`: sends reports whose fields end the line of the log, and begin one of their own.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn line_written_into_the_log(target: &Target) -> Result<Outcome> {
    let forged = "FORGED admin logged in";
    report(target, violation(target, &format!("/x\\n{forged}"), "img-src")).await?;
    report(target, violation(target, "/", &format!("img-src\\n{forged}"))).await?;
    report(
        target,
        violation(target, &format!("/\\u001b[2K\\u202e\\r\\n{forged}"), "img-src"),
    )
    .await?;
    let log = target.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.starts_with("FORGED")).collect();
    let unseen = log.contains('\u{1b}') || log.contains('\u{202e}');
    Ok(Outcome::new(
        !lines.is_empty() || unseen,
        format!("the log has the lines {lines:?}, and unseen marks: {unseen}"),
    ))
}

/// `resource-exhaustion`: sends more different reports than anybody could read.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn flood_of_policy_reports(target: &Target) -> Result<Outcome> {
    let mut visitor = target.visitor()?;
    for number in 0..600 {
        let request = visitor
            .request(Method::POST, "/csp-report")
            .header("content-type", "application/csp-report");
        let body = violation(target, &format!("/{number}/"), "img-src");
        let reply = visitor.send(request, body.into()).await?;
        ensure!(
            reply.status.is_success(),
            "a report was answered with {}",
            reply.status
        );
    }
    let kept = target.reports_kept()?;
    ensure!(kept > 0, "not one report was kept");
    Ok(Outcome::new(kept > 500, format!("{kept} reports are kept")))
}

/// `cross-site-scripting`: writes a script into an address that leads nowhere, for the page that says so.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn script_in_an_address(target: &Target) -> Result<Outcome> {
    let script = "<script>steal()</script>";
    let encoded = "%3Cscript%3Esteal()%3C%2Fscript%3E";
    let mut seen = Vec::new();
    for address in [
        format!("/{encoded}/"),
        format!("/nowhere/?q={encoded}"),
        format!("/secret/{encoded}/"),
    ] {
        let reply = target.visitor()?.open(&address).await?;
        if reply.text().contains(script) {
            return Ok(Outcome::new(true, format!("{address} shows it as it is")));
        }
        seen.push(format!("{address} was answered with {}", reply.status));
    }
    Ok(Outcome::new(false, seen.join("; ")))
}
