//! What is no request, and what comes after it.

use serde_json::{Value, json};

use crate::conversation::Conversation;

fn kind(reply: &Value) -> &str {
    reply["error"]["kind"].as_str().unwrap_or("none")
}

#[test]
fn what_cannot_be_understood_is_answered_and_the_next_request_too() {
    let mut host = Conversation::begin();
    for (line, id, expected) in [
        ("garbage", Value::Null, "internal"),
        ("[1]", Value::Null, "internal"),
        ("{\"id\": 1", Value::Null, "internal"),
        (r#"{"id": 2}"#, json!(2), "internal"),
        (r#"{"id": 3, "op": "no.such"}"#, json!(3), "unsupported_op"),
        (r#"{"id": 4, "op": "cookie.parse"}"#, json!(4), "internal"),
        (
            r#"{"id": 5, "op": "cookie.parse", "args": [], "now": 1}"#,
            json!(5),
            "internal",
        ),
        (
            r#"{"id": 6, "op": "crypto.random_string", "args": {"length": 4611686018427387904, "allowed_chars": "a"}}"#,
            json!(6),
            "internal",
        ),
        (
            r#"{"id": 7, "op": "cookie.parse", "args": {"header": "a=b", "unknown": NaN}, "unknown": 1}"#,
            json!(7),
            "none",
        ),
    ] {
        host.say(line);
        let reply = host.hear();
        assert_eq!((&reply["id"], kind(&reply)), (&id, expected), "{line}");
    }
    assert!(host.end().success());
}

#[test]
fn an_argument_that_is_missing_is_named() {
    let mut host = Conversation::begin();
    for (line, name) in [
        (
            r#"{"id": 1, "op": "signing.sign", "args": {"key": "k", "salt": "s", "sep": ":", "algorithm": "sha256", "value": "v"}}"#,
            "timestamp",
        ),
        (r#"{"id": 2, "op": "request.get_host"}"#, "request"),
        (r#"{"id": 3, "op": "cookie.parse", "args": {}}"#, "header"),
    ] {
        host.say(line);
        let reply = host.hear();
        let told = format!("argument `{name}` is missing");
        assert_eq!(reply["error"]["message"], told, "{line}");
    }
}

#[test]
fn half_a_surrogate_pair_spoils_only_what_reads_it() {
    let mut host = Conversation::begin();
    host.say(r#"{"id": 1, "op": "html.none", "args": {"text": "\ud800"}}"#);
    assert_eq!(kind(&host.hear()), "unsupported_op");
    host.say(r#"{"id": 2, "op": "cookie.parse", "args": {"header": "\ud800"}}"#);
    assert_eq!(kind(&host.hear()), "internal");
}

#[test]
fn hello_names_every_operation_in_order() {
    let mut host = Conversation::begin();
    host.say(r#"{"id": 1, "op": "hello", "args": {}}"#);
    let hello = host.hear();
    assert_eq!(hello["ok"]["protocol"], 1);
    let ops: Vec<&str> = hello["ok"]["ops"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(ops.is_sorted());
    assert!(ops.contains(&"csrf.process_view"));
    assert!(!ops.contains(&"hello"));
}
