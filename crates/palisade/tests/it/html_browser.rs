//! What the sanitiser leaves, in a real browser and without any policy: none of it runs script, and none of it does once clicked on.

use axum::extract::Path;
use axum::response::Html;
use axum::routing::get;
use palisade::html::{RichText, markdown};
use testkit::script_vectors::{HTML, MARKDOWN};
use testkit::{Browser, Site};

/// How pages of the test are written.
#[derive(Clone, Copy)]
enum Way {
    AsItIs,
    Html,
    Markdown,
}

fn page(way: Way, number: usize) -> Option<String> {
    let body = match way {
        Way::AsItIs => (*HTML.get(number)?).to_owned(),
        Way::Html => RichText::new()
            .with_own_images()
            .html(HTML.get(number)?)
            .into_string(),
        Way::Markdown => markdown(MARKDOWN.get(number)?).into_string(),
    };
    Some(format!(
        "<!doctype html><meta charset=utf-8><title>x</title><main>{body}</main>"
    ))
}

fn all(way: Way) -> String {
    let bodies: Vec<String> = (0..).map_while(|number| page(way, number)).collect();
    bodies.concat()
}

async fn site() -> Site {
    let routes = axum::Router::new()
        .route(
            "/raw/{number}",
            get(async |Path(number): Path<usize>| {
                page(Way::AsItIs, number).map_or_else(|| Html(String::new()), Html)
            }),
        )
        .route(
            "/html/{number}",
            get(async |Path(number): Path<usize>| {
                page(Way::Html, number).map_or_else(|| Html(String::new()), Html)
            }),
        )
        .route(
            "/markdown/{number}",
            get(async |Path(number): Path<usize>| {
                page(Way::Markdown, number).map_or_else(|| Html(String::new()), Html)
            }),
        )
        .route("/html/all", get(async || Html(all(Way::Html))))
        .route("/markdown/all", get(async || Html(all(Way::Markdown))));
    Site::plain(routes).await.unwrap()
}

/// Loads a page, clicks on all there is, lets what was begun come to its end, and tells whether any script ran.
const PROVOKE: &str = "for (const element of document.querySelectorAll('*')) {
        if (element.tagName === 'A' && !/^(javascript|data|vbscript):/i.test(element.href)) {
            element.addEventListener('click', event => event.preventDefault());
        }
        for (const kind of ['click', 'mouseover', 'focus', 'error', 'load']) {
            element.dispatchEvent(new MouseEvent(kind, {bubbles: true, cancelable: true}));
        }
    }
    const images = [...document.images].map(image => image.complete ? 0 : new Promise(done => {
        image.addEventListener('load', done); image.addEventListener('error', done);
    }));
    // Tasks that were queued by a click have run when one queued after them runs.
    return Promise.all(images)
        .then(() => new Promise(done => { const frame = new MessageChannel(); frame.port1.onmessage = done; frame.port2.postMessage(0); }))
        .then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))
        .then(() => window.owned === 1 || document.querySelector('[onerror],[onclick],script,iframe,object,embed,svg,math,form,style') !== null);";

#[tokio::test]
async fn no_vector_runs_after_it_was_sanitised_even_without_a_policy() {
    let site = site().await;
    let at = |path: &str| format!("http://{}{path}", site.address());
    let browser = Browser::setup().start().await.unwrap();
    // The vectors are vectors: as they are, most of them run in this browser.
    let mut ran = 0;
    for number in (0..HTML.len()).step_by(4) {
        browser.open(&at(&format!("/raw/{number}"))).await.unwrap();
        // Some run only once their page is left, or stop the script that provokes them: those are not counted.
        let _ = browser.run(PROVOKE, &[]).await;
        let owned = browser.run("return window.owned === 1", &[]).await;
        ran += usize::from(owned.is_ok_and(|owned| owned == true));
    }
    assert!(
        ran >= HTML.len() / 8,
        "only {ran} of {} are attacks",
        HTML.len() / 4
    );
    for path in ["/html/all", "/markdown/all"] {
        browser.open(&at(path)).await.unwrap();
        assert_eq!(browser.run(PROVOKE, &[]).await.unwrap(), false, "{path}");
    }
    for (folder, many) in [("html", HTML.len()), ("markdown", MARKDOWN.len())] {
        for number in 0..many {
            browser.open(&at(&format!("/{folder}/{number}"))).await.unwrap();
            assert_eq!(
                browser.run(PROVOKE, &[]).await.unwrap(),
                false,
                "{folder} {number}"
            );
        }
    }
}
