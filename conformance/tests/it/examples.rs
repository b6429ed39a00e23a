//! Requests with the replies that a real Django 5.2.19 gave, replayed.

use std::collections::BTreeSet;

use palisade_core::json::members;
use serde_json::{Value, json};

use crate::conversation::Conversation;

/// One a line: `request`; `host`, the calls it makes with their answers; and `reply`, or `like` where the reply is random.
const EXAMPLES: &str = include_str!("../../examples.jsonl");

fn examples() -> impl Iterator<Item = (&'static str, Value)> {
    let lines = EXAMPLES.lines().filter(|line| !line.is_empty());
    lines.map(|line| (line, serde_json::from_str(line).unwrap()))
}

/// The request of an example, in its own words since the order of keys counts, after what it leaves unsaid.
fn request(id: usize, example: &str) -> String {
    let members = members(example).unwrap();
    let said = members
        .iter()
        .find(|member| member.key_in(example) == "request")
        .unwrap();
    let said = said.value_in(example).strip_prefix('{').unwrap();
    format!(
        r#"{{"id":{id},"args":{{}},"settings":{{"SECRET_KEY":"secret"}},"now":1700000000.0,"now_iso":"2023-11-14T22:13:20+00:00",{said}"#
    )
}

/// Forgets everything of a value but its build and the lengths of its texts.
fn shape(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text.len()),
        Value::Array(values) => values.iter().map(shape).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        other => other.clone(),
    }
}

/// What a line says besides to which request it belongs.
fn without_id(line: &Value) -> Value {
    let mut line = line.clone();
    line.as_object_mut().unwrap().remove("id");
    line
}

#[test]
fn every_example_is_answered_as_django_answered_it() {
    let mut host = Conversation::begin();
    let mut wrong = Vec::new();
    for (id, (line, example)) in examples().enumerate() {
        host.say(&request(id, line));
        let mut calls = example["host"].as_array().into_iter().flatten();
        let mut reply = host.hear();
        while reply.get("host").is_some() {
            let random = example.get("like").is_some();
            let as_expected = |pair: &&Value| {
                let asked = without_id(&reply);
                pair[0] == asked || random && shape(&pair[0]) == shape(&asked)
            };
            let mut answer = calls.next().filter(as_expected).map_or_else(
                || {
                    wrong.push(format!("{example}\n    asked {reply}"));
                    json!({"host_ok": null})
                },
                |pair| pair[1].clone(),
            );
            answer["id"] = json!(id);
            host.say(&answer.to_string());
            reply = host.hear();
        }
        assert_eq!(reply["id"], id);
        reply = without_id(&reply);
        // Where Django's words are its libraries', only the kind of the error counts.
        if example["reply"]["error"].get("message").is_none()
            && let Some(error) = reply.get_mut("error").and_then(Value::as_object_mut)
        {
            error.remove("message");
        }
        let same = example
            .get("like")
            .map_or_else(|| example["reply"] == reply, |like| shape(like) == shape(&reply));
        if !same || calls.next().is_some() {
            wrong.push(format!("{example}\n    got {reply}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_operation_has_an_example_and_a_line_in_the_page() {
    let page = include_str!("../../README.md");
    let mut host = Conversation::begin();
    host.say(r#"{"id": 1, "op": "hello"}"#);
    let hello = host.hear();
    let examples: Vec<Value> = examples().map(|(_, example)| example).collect();
    let shown: BTreeSet<&str> = examples
        .iter()
        .filter_map(|example| example["request"]["op"].as_str())
        .collect();
    let offered = hello["ok"]["ops"].as_array().unwrap();
    let lacking: Vec<&str> = offered
        .iter()
        .filter_map(Value::as_str)
        .filter(|op| !(shown.contains(op) && page.contains(&format!("`{op}`"))))
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}
