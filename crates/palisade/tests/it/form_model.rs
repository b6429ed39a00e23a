//! A request that throws `isAdmin=true` at a form.

use palisade::core::secret::Sensitive;
use palisade::form::{Form as _, ModelForm};

#[derive(Clone, Debug, Default, PartialEq)]
struct Profile {
    display_name: String,
    age: Option<u8>,
    newsletter: bool,
    is_admin: bool,
    note: String,
}

#[derive(ModelForm)]
#[form(model = Profile, fields(display_name, age, newsletter))]
struct ProfileForm {
    #[form(max_length = 20)]
    display_name: String,
    age: Option<u8>,
    newsletter: bool,
    // Asked for, never written.
    #[form(optional)]
    note: String,
    password: Option<Sensitive<String>>,
}

fn profile() -> Profile {
    Profile {
        display_name: "Kim".into(),
        age: Some(30),
        note: "kept".into(),
        ..Profile::default()
    }
}

#[test]
fn field_that_is_not_listed_is_not_written_whatever_is_sent() {
    let mut model = profile();
    let sent = [
        ("display_name", "Kim"),
        ("age", "30"),
        ("is_admin", "true"),
        ("note", "changed"),
        ("id", "1"),
    ];
    let form = ProfileForm::from_pairs(sent).unwrap();
    assert_eq!(form.note, "changed");
    assert!(form.password.is_none());
    let changed = form.into_form().apply(&mut model);
    assert!(changed.is_empty());
    assert_eq!(model, profile());
}

#[test]
fn written_fields_are_named() {
    let mut model = profile();
    let form = ProfileForm::from_pairs([("display_name", "Lee"), ("age", ""), ("newsletter", "on")]).unwrap();
    assert_eq!(form.changed(&model), ["display_name", "age", "newsletter"]);
    assert_eq!(
        form.into_form().apply(&mut model),
        ["display_name", "age", "newsletter"]
    );
    assert_eq!(
        model,
        Profile {
            display_name: "Lee".into(),
            age: None,
            newsletter: true,
            ..profile()
        }
    );
    assert_eq!(ProfileForm::MODEL_FIELDS, ["display_name", "age", "newsletter"]);
}

#[test]
fn form_is_filled_in_from_its_model() {
    let bound = ProfileForm::of(&profile()).with_initial("password", ["hunter2"]);
    assert_eq!(bound.value("display_name"), Some("Kim"));
    assert_eq!(bound.value("age"), Some("30"));
    assert_eq!(bound.value("note"), None);
    assert!(!bound.html().contains("hunter2"));
    assert!(bound.errors().is_empty());
}

#[test]
fn last_of_two_values_counts_as_in_django() {
    let form = ProfileForm::from_pairs([("display_name", "A"), ("display_name", "B")]).unwrap();
    assert_eq!(form.display_name, "B");
}

#[test]
fn secrets_of_a_form_can_be_registered() {
    assert_eq!(ProfileForm::sensitive_names().collect::<Vec<_>>(), ["password"]);
}
