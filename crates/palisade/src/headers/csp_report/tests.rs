//! What is believed of a report, and how little a flood of them can do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use serde_json::json;

use super::budget::Budget;
use super::*;
use crate::sqlite::Sqlite;

const OLD: &str = "application/csp-report";
const NEW: &str = "application/reports+json";

fn old(report: &serde_json::Value) -> Vec<Violation> {
    read_reports(
        OLD,
        json!({ "csp-report": report }).to_string().as_bytes(),
        "example.com",
    )
}

fn violation(number: u32) -> Violation {
    let report = json!({
        "document-uri": "https://example.com/", "blocked-uri": format!("https://{number}.example/"),
        "effective-directive": "script-src",
    });
    old(&report).remove(0)
}

#[test]
fn both_formats_say_the_same() {
    let one = old(&json!({
        "document-uri": "https://example.com/notes/?q=secret#x",
        "violated-directive": "script-src-elem 'self'",
        "blocked-uri": "https://evil.example:8443/steal.js?cookie=1",
        "source-file": "https://example.com/static/a.js?v=2",
        "disposition": "report",
    }));
    let other = json!([
        { "type": "deprecation", "body": {} },
        { "type": "csp-violation", "url": "https://example.com/", "body": {
            "documentURL": "https://user:pw@EXAMPLE.com/notes/?q=secret#x",
            "effectiveDirective": "script-src-elem",
            "blockedURL": "https://evil.example:8443/steal.js?cookie=1",
            "sourceFile": "https://example.com/static/a.js",
            "disposition": "report",
        }},
    ]);
    assert_eq!(
        read_reports(
            "application/reports+json; charset=utf-8",
            other.to_string().as_bytes(),
            "example.com"
        ),
        one
    );
    let seen = &one[0];
    assert_eq!(
        (
            seen.directive(),
            seen.blocked(),
            seen.document(),
            seen.source(),
            seen.disposition()
        ),
        (
            "script-src-elem",
            "https://evil.example:8443",
            "/notes/",
            Some("/static/a.js"),
            Disposition::Reported
        )
    );
}

#[test]
fn secrets_of_addresses_are_not_kept() {
    let seen = &old(&json!({
        "document-uri": "https://example.com/reset/MQ/cb2xfl-0a1b2c3d4e5f60718293a4b5/?token=1",
        "blocked-uri": "data:text/html,secret", "source-file": "https://ann:pw@other.example/a/b?c",
        "effective-directive": "img-src",
    }))[0];
    assert_eq!(
        (seen.document(), seen.blocked(), seen.source()),
        ("/reset/MQ/*/", "data", Some("https://other.example"))
    );
}

#[test]
fn a_report_about_another_site_or_from_an_extension_or_of_nonsense_is_dropped() {
    for (document, blocked, directive) in [
        ("https://other.example/", "inline", "script-src"),
        ("https://example.com.evil.example/", "inline", "script-src"),
        ("https://example.com@evil.example/", "inline", "script-src"),
        ("https://example.com:8443/", "inline", "script-src"),
        ("about:blank", "inline", "script-src"),
        ("/", "inline", "script-src"),
        (
            "https://example.com/",
            "chrome-extension://abc/x.js",
            "script-src",
        ),
        ("https://example.com/", "moz-extension", "script-src"),
        ("https://example.com/", "inline", "script-src\nERROR"),
        ("https://example.com/", "inline", "no-directive"),
        ("https://example.com/", "inline", ""),
    ] {
        let read = old(
            &json!({ "document-uri": document, "blocked-uri": blocked, "effective-directive": directive }),
        );
        let kept = directive.starts_with("script-src\n") && read[0].directive() == "script-src";
        assert!(
            read.is_empty() || kept,
            "{document} {blocked} {directive:?}: {read:?}"
        );
    }
}

#[test]
fn what_is_no_report_is_nothing() {
    for (kind, body) in [
        (OLD, "{}"),
        (OLD, "[]"),
        (OLD, "{\"csp-report\":[]}"),
        (OLD, "{\"csp-report\":{\"document-uri\":1}}"),
        (OLD, "{\"csp-report\":"),
        (NEW, "{}"),
        (NEW, "[1,null,{\"type\":\"csp-violation\"}]"),
        (
            "text/plain",
            "{\"csp-report\":{\"document-uri\":\"https://example.com/\",\"effective-directive\":\"img-src\"}}",
        ),
    ] {
        assert!(
            read_reports(kind, body.as_bytes(), "example.com").is_empty(),
            "{body}"
        );
    }
    let deep = format!("{}{}", "[".repeat(8_000), "]".repeat(8_000));
    assert!(read_reports(NEW, deep.as_bytes(), "example.com").is_empty());
    assert!(read_reports(OLD, &vec![b' '; MOST_BYTES + 1], "example.com").is_empty());
}

#[test]
fn one_body_holds_a_bounded_number_of_reports() {
    let one = json!({ "type": "csp-violation", "body": { "documentURL": "https://example.com/", "effectiveDirective": "img-src" } });
    let body = serde_json::Value::Array(vec![one; 100]).to_string();
    assert_eq!(
        read_reports(NEW, body.as_bytes(), "example.com").len(),
        MOST_IN_ONE
    );
}

proptest! {
    #[test]
    fn nothing_that_is_kept_breaks_a_line_or_turns_it_around(a in "\\PC{0,40}|.{0,300}", b in ".{0,40}", c in ".{0,300}") {
        for read in old(&json!({
            "document-uri": format!("https://example.com/{a}"), "blocked-uri": b,
            "source-file": format!("https://x/{c}"), "effective-directive": "img-src",
        })) {
            for text in [read.document(), read.blocked(), read.source().unwrap_or_default()] {
                prop_assert!(text.bytes().all(|byte| matches!(byte, b'!'..=b'~')) && text.len() <= 160, "{text:?}");
            }
        }
    }
}

#[test]
fn one_network_cannot_take_the_place_of_the_others() {
    let mut budget = Budget::default();
    let hostile = |number: u128| Some(IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) | number)));
    // A thousand addresses of one subscriber are one.
    let taken = (0..1_000)
        .filter(|number| budget.take(hostile(*number), UNIX_EPOCH))
        .count();
    assert_eq!(taken, 30);
    assert!(budget.take(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), UNIX_EPOCH));
    let later = UNIX_EPOCH + Duration::from_secs(4);
    let taken = (0..1_000)
        .filter(|number| budget.take(hostile(*number), later))
        .count();
    assert_eq!(taken, 2, "it fills up again");
    assert!(
        !budget.take(hostile(1), UNIX_EPOCH),
        "and a clock that is set back gives nothing"
    );
}

#[test]
fn all_networks_together_have_a_limit_and_are_not_remembered_without_end() {
    let mut budget = Budget::default();
    let taken = (0..100_000_u32)
        .filter(|number| budget.take(Some(IpAddr::V4(Ipv4Addr::from_bits(*number))), UNIX_EPOCH));
    assert_eq!(taken.count(), 300);
    assert!(budget.networks() <= 4096);
    let later = UNIX_EPOCH + Duration::from_hours(1);
    assert!(
        budget.take(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), later),
        "room is made"
    );
}

#[tokio::test]
async fn a_flood_of_kinds_neither_fills_memory_nor_pushes_out_what_is_frequent() {
    let reports = CspReports::in_sqlite(Sqlite::in_memory().unwrap()).unwrap();
    for _ in 0..3 {
        reports.add(violation(0), UNIX_EPOCH).await;
    }
    for number in 1..600 {
        reports
            .add(
                violation(number),
                UNIX_EPOCH + Duration::from_secs(u64::from(number)),
            )
            .await;
    }
    let listed = reports.list();
    assert_eq!(listed.len(), MOST_KINDS);
    assert!(
        listed
            .iter()
            .any(|seen| seen.violation == violation(0) && seen.count == 3)
    );
    assert_eq!(reports.dropped(), 600 - MOST_KINDS as u64);
}

#[tokio::test]
async fn reports_outlive_the_process_and_are_cleared_for_good() {
    let database = Sqlite::in_memory().unwrap();
    let reports = CspReports::in_sqlite(database.clone()).unwrap();
    for seconds in [5, 7, 6] {
        reports
            .add(violation(1), UNIX_EPOCH + Duration::from_secs(seconds))
            .await;
    }
    let again = CspReports::in_sqlite(database.clone()).unwrap();
    assert_eq!(again.list(), reports.list());
    assert_eq!(again.list()[0].count, 3);
    assert_eq!(again.list()[0].last, UNIX_EPOCH + Duration::from_secs(7));
    again.clear().await.unwrap();
    assert!(again.list().is_empty());
    assert!(CspReports::in_sqlite(database).unwrap().list().is_empty());
}
