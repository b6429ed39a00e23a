//! How session data behaves as a dictionary.

use serde_json::Value;

use super::*;

fn data(text: &str) -> SessionData {
    SessionData::from_json(text.to_owned()).unwrap()
}

#[test]
fn untouched_values_leave_as_they_came() {
    let mut data = data(r#"{"a": [1, 2.50, "\u00e9"], "\u0062":1.0E5,"c":"x"}"#);
    data.insert("c", &2).unwrap();
    data.insert("d", "é").unwrap();
    assert_eq!(
        data.to_json().as_str(),
        r#"{"a":[1, 2.50, "\u00e9"],"\u0062":1.0E5,"c":2,"d":"\u00e9"}"#
    );
}

#[test]
fn number_of_any_length_is_kept_and_read_exactly() {
    let long = "-170141183460469231731687303715884105728";
    let endless = "9".repeat(400);
    let mut data = data(&format!(r#"{{"a":{long},"b":{{"deep":[{endless}]}},"c":1}}"#));
    data.insert("c", &2).unwrap();
    assert_eq!(data.get::<i128>("a").unwrap().unwrap(), i128::MIN);
    assert_eq!(
        data.to_json().as_str(),
        format!(r#"{{"a":{long},"b":{{"deep":[{endless}]}},"c":2}}"#)
    );
}

#[test]
fn keys_keep_their_order_and_place() {
    let mut data = data(r#"{"a":1,"b":2,"c":3}"#);
    data.insert("b", &true).unwrap();
    assert_eq!(data.remove("a").as_deref(), Some("1"));
    assert_eq!(data.remove("a"), None);
    data.insert("a", &()).unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["b", "c", "a"]);
    assert_eq!(data.raw("b"), Some("true"));
    assert_eq!(data.len(), 3);
    assert!(data.contains("a") && !data.contains("d"));
    data.clear();
    assert!(data.is_empty());
    assert_eq!(data.to_json().as_str(), "{}");
}

#[test]
fn value_of_another_type_is_an_error_and_an_absent_one_is_none() {
    let data = data(r#"{"a":"x"}"#);
    assert!(
        data.get::<u32>("a")
            .unwrap()
            .unwrap_err()
            .to_string()
            .starts_with("session value of \"a\": ")
    );
    assert!(data.get::<u32>("b").is_none());
    assert_eq!(data.get::<Value>("a").unwrap().unwrap(), "x");
}

#[test]
fn text_that_is_not_json_is_not_stored() {
    let mut data = data(r#"{"a":1}"#);
    for text in ["", "1,", "{", "1,\"admin\":true", " 1"] {
        assert!(data.insert_raw("a", text.to_owned()).is_err(), "{text}");
    }
    assert!(
        data.insert("a", &std::collections::BTreeMap::from([(vec![1], 1)]))
            .is_err()
    );
    assert_eq!(data.raw("a"), Some("1"));
    data.insert_raw("a", "\"é\"".to_owned()).unwrap();
    assert_eq!(data.to_json().as_str(), r#"{"a":"\u00e9"}"#);
}

#[test]
fn values_are_not_printed() {
    let data = data(r#"{"pin":"4711"}"#);
    assert_eq!(format!("{data:?}"), "{\"pin\": ********************}");
}
