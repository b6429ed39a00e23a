//! Hosts, URLs, origins, referers and redirects are judged as Django 5.2 judges them.
//!
//! The answers are in `tests/data/django_addresses.jsonl`, written by the script beside it.

use palisade_core::host::{AllowedHosts, Host};
use palisade_core::origin::{TrustedOrigins, good_referer};
use palisade_core::redirect::{escape_leading_slashes, is_safe_next, redirect_location};
use palisade_core::url::urlsplit;
use serde_json::{Value, json};

/// Answers one case as Django's answer is written; nothing, if there is no such question.
fn answer(case: &[Value]) -> Option<Value> {
    let value = |at: usize| case.get(at).unwrap_or(&Value::Null);
    let text = |at: usize| value(at).as_str().unwrap_or_default();
    let list = |at: usize| -> Vec<&str> {
        value(at)
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect()
    };
    let flag = |at: usize| value(at).as_bool().unwrap();
    Some(match text(0) {
        "host" => match Host::parse(text(1)) {
            Ok(host) => json!([host.domain(), host.port().unwrap_or_default()]),
            Err(_) => json!(["", ""]),
        },
        "allowed" => {
            let hosts = AllowedHosts::parse(list(2)).with_debug(flag(3));
            json!([hosts.validate(text(1)).err().map(|refusal| refusal.to_string())])
        }
        "url" => match urlsplit(text(1)) {
            Ok(url) => json!([
                [url.scheme, url.netloc, url.path, url.query, url.fragment],
                url.to_string()
            ]),
            Err(_) => json!([null, null]),
        },
        "next" => json!([is_safe_next(text(1), &list(2), flag(3))]),
        "origin" => {
            let trusted = TrustedOrigins::parse(list(3)).unwrap();
            json!([trusted.check_origin(text(1), flag(4), Some(text(2))).is_ok()])
        }
        "referer" => {
            let trusted = TrustedOrigins::parse(list(3)).unwrap();
            let own = good_referer(value(4).as_str(), Some(text(2)), text(5));
            let refusal = trusted.check_referer(Some(text(1)), own.as_deref()).err();
            json!([refusal.map(|refusal| refusal.to_string())])
        }
        "redirect" => json!([redirect_location(text(1)).ok()]),
        "slashes" => json!([escape_leading_slashes(text(1))]),
        _ => return None,
    })
}

/// How many values at the end of a case are Django's answer.
fn answer_length(question: &str) -> usize {
    if matches!(question, "host" | "url") { 2 } else { 1 }
}

#[test]
fn every_address_is_judged_as_django_judges_it() {
    let table = include_str!("../data/django_addresses.jsonl");
    let (mut cases, mut wrong) = (0, Vec::new());
    for line in table.lines() {
        let case: Vec<Value> = serde_json::from_str(line).unwrap();
        let expected = &case[case.len() - answer_length(case[0].as_str().unwrap())..];
        let ours = answer(&case).unwrap();
        if ours.as_array().unwrap() != expected {
            wrong.push(format!("{line}\n  ours: {ours}"));
        }
        cases += 1;
    }
    assert!(cases > 400, "only {cases} cases");
    assert!(
        wrong.is_empty(),
        "{} of {cases} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn brackets_that_any_release_of_python_refuses_are_refused() {
    for url in [
        "http://x[::1]",
        "http://[::1]x:80",
        "http://[::1]@a",
        "http://[x]@[::1]",
        "http://[::1][::2]",
    ] {
        assert!(urlsplit(url).is_err(), "{url}");
    }
}
