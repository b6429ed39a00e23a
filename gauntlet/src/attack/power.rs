//! `mass-assignment`: fields that no form offers, sent where they would count: power, another's name, another's row.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, header};
use testkit::Visitor;

use super::Outcome;
use super::member::{address, join, keep, opens, submit_with};
use crate::{Person, Target};

/// What would make somebody an administrator, in the words of many applications.
const POWER: [(&str, &str); 8] = [
    ("is_staff", "true"),
    ("is_superuser", "on"),
    ("is_admin", "1"),
    ("isAdmin", "true"),
    ("role", "admin"),
    ("user[is_staff]", "true"),
    ("user.is_staff", "true"),
    ("groups", "1"),
];

/// Sends every word for power along with each form that there is.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn power_with_every_form(target: &Target) -> Result<Outcome> {
    let mut mallory = join(target, Person::ATTACKER).await?;
    let Person { username, password } = Person::ATTACKER;
    let email = address(Person::ATTACKER);
    let forms: [(&str, &[(&str, &str)]); 4] = [
        (
            "/profile/",
            &[("first_name", "M"), ("last_name", "M"), ("email", &email)],
        ),
        ("/secret/", &[("title", "t"), ("body", "b")]),
        ("/login/", &[("username", username), ("password", password)]),
        ("/forgot/", &[("email", &email)]),
    ];
    for (path, fields) in forms {
        mallory.submit(path, &[fields, &POWER].concat()).await?;
    }
    judged(target, "the forms took it")
}

/// Sends power in the address of a form, where it is no field at all.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn power_in_the_address(target: &Target) -> Result<Outcome> {
    let mut mallory = join(target, Person::ATTACKER).await?;
    let query = testkit::visitor::form(&POWER);
    let fields = [("first_name", "M"), ("last_name", "M")];
    for path in [
        format!("/profile/?{query}"),
        format!("/profile/?_method=POST&{query}"),
    ] {
        mallory.submit(&path, &fields).await?;
    }
    judged(target, "the address gave it")
}

/// Sends a field of the form twice, once as it should be and once as power, in the other order, and as parts.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn power_in_parts(target: &Target) -> Result<Outcome> {
    let mut mallory = join(target, Person::ATTACKER).await?;
    let page = mallory.open("/profile/").await?;
    let token = page.field("csrfmiddlewaretoken").unwrap_or_default();
    let honest = [("csrfmiddlewaretoken", token.as_str()), ("first_name", "M")];
    let fields = [&honest[..], &POWER].concat();
    let parts: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    let parts = parts.concat();
    post(
        &mut mallory,
        "multipart/form-data; boundary=x",
        format!("{parts}--x--\r\n"),
    )
    .await?;
    let powerless = POWER.map(|(name, _)| (name, "false"));
    // A check may read the first of two and the store the last, or the other way round.
    for twice in [[POWER, powerless], [powerless, POWER]] {
        let pairs = [&honest[..], &twice.concat()].concat();
        post(
            &mut mallory,
            "application/x-www-form-urlencoded",
            testkit::visitor::form(&pairs),
        )
        .await?;
    }
    let pairs = testkit::visitor::form(&fields);
    post(
        &mut mallory,
        "application/x-www-form-urlencoded",
        pairs.replace('&', ";"),
    )
    .await?;
    post(
        &mut mallory,
        "application/x-www-form-urlencoded; charset=utf-8",
        pairs,
    )
    .await?;
    judged(target, "the parts held it")
}

/// Sets another password on the own profile by a field that is called as the column is.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn password_by_its_column(target: &Target) -> Result<Outcome> {
    let mut member = join(target, Person::ATTACKER).await?;
    let fields = [
        ("first_name", "M"),
        ("last_name", "M"),
        ("password", "planted sentence 42"),
    ];
    submit_with(&mut member, "/profile/", &fields, &[]).await?;
    let planted = Person {
        password: "planted sentence 42",
        ..Person::ATTACKER
    };
    // Whoever has a session for a moment has the account for good.
    let taken = opens(target, planted).await?;
    Ok(Outcome::new(
        taken,
        format!("the planted password opens the account: {taken}"),
    ))
}

/// Writes a note, and says with it that it is the victim's, and has the number of one that is theirs.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn row_of_another_by_its_column(target: &Target) -> Result<Outcome> {
    let mut victim = join(target, Person::VICTIM).await?;
    keep(&mut victim, "kept by valerie", "x").await?;
    let mut mallory = join(target, Person::ATTACKER).await?;
    let name = Person::VICTIM.username;
    let fields = [
        ("title", "planted on valerie"),
        ("body", "y"),
        ("id", "1"),
        ("pk", "1"),
        ("owner", name),
        ("owner_id", "1"),
        ("user_id", "1"),
        ("username", name),
    ];
    let reply = mallory.submit("/secret/", &fields).await?;
    ensure!(
        reply.status.is_redirection(),
        "the note was answered with {}",
        reply.status
    );
    let list = victim.open("/").await?.text();
    Ok(Outcome::new(
        list.contains("planted on valerie") || !list.contains("kept by valerie"),
        "the victim's list after it",
    ))
}

fn judged(target: &Target, how: &str) -> Result<Outcome> {
    let powerful = target
        .is_admin(Person::ATTACKER.username)
        .context("the attacker has no account")?;
    Ok(Outcome::new(powerful, format!("{how}: {powerful}")))
}

async fn post(visitor: &mut Visitor, kind: &str, body: String) -> Result<()> {
    let origin = visitor.origin();
    let request = visitor
        .request(Method::POST, "/profile/")
        .header(header::CONTENT_TYPE, kind)
        .header(header::ORIGIN, &origin)
        .header(header::REFERER, format!("{origin}/profile/"));
    visitor.send(request, Bytes::from(body)).await?;
    Ok(())
}
