//! `broken-access-control`: what is somebody else's is asked for, changed and listed.

use anyhow::{Context as _, Result, ensure};
use testkit::Visitor;

use super::{Outcome, member};
use crate::Target;

const TITLE: &str = "the safe behind the painting";
const SECRET: &str = "combination-4711";
/// What a thief writes in the place of it.
const WORDS: &str = "rewritten by mallory";

/// A site on which Valerie keeps a note, and somebody else is logged in.
struct Scene {
    owner: Visitor,
    thief: Visitor,
    note: String,
}

impl Scene {
    async fn on(target: &Target) -> Result<Scene> {
        let mut owner = member(target, "valerie").await?;
        let thief = member(target, "mallory").await?;
        let kept = owner
            .submit("/secret/", &[("title", TITLE), ("body", SECRET)])
            .await?;
        ensure!(
            kept.status.is_redirection(),
            "the note was answered with {}",
            kept.status
        );
        let home = owner.open("/").await?.text();
        let address = |part: &str| part.split('/').next()?.parse::<u64>().ok();
        let id = home.split("href=\"/secret/").filter_map(address).last();
        let note = format!("/secret/{}/", id.context("the note has no address")?);
        ensure!(
            owner.open(&note).await?.text().contains(SECRET),
            "the owner does not see the note"
        );
        Ok(Scene { owner, thief, note })
    }

    fn at(&self, room: &str) -> String {
        format!("{}{room}/", self.note)
    }

    /// What the owner's note says now.
    async fn says(&mut self) -> Result<String> {
        let note = self.note.clone();
        Ok(self.owner.open(&note).await?.text())
    }

    /// As the owner, shares the note with the thief, until the end of a day if there is one.
    async fn share(&mut self, role: &str, until: &str) -> Result<()> {
        let share = self.at("share");
        let fields = [("username", "mallory"), ("role", role), ("until", until)];
        let reply = self.owner.submit(&share, &fields).await?;
        ensure!(
            reply.status.is_redirection(),
            "sharing was answered with {}",
            reply.status
        );
        Ok(())
    }

    /// As the thief who may edit, opens the form.
    async fn opens_the_form(&mut self) -> Result<()> {
        let edit = self.at("edit");
        let opened = self.thief.open(&edit).await?;
        ensure!(
            opened.status.is_success(),
            "the editor gets no form, but {}",
            opened.status
        );
        Ok(())
    }

    /// As the thief, sends a form with a token of the thief's own.
    async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<String> {
        let token = self
            .thief
            .open("/profile/")
            .await?
            .field("csrfmiddlewaretoken")
            .unwrap_or_default();
        let fields = [fields, &[("csrfmiddlewaretoken", token.as_str())]].concat();
        let origin = self.thief.origin();
        let request = self
            .thief
            .request(http::Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &origin)
            .header("referer", format!("{origin}{path}"));
        let reply = self
            .thief
            .send(request, testkit::visitor::form(&fields).into())
            .await?;
        Ok(reply.status.to_string())
    }

    /// Whether the thief's words stand in the owner's note.
    async fn is_rewritten(&mut self, evidence: String) -> Result<Outcome> {
        let rewritten = self.says().await?.contains(WORDS);
        Ok(Outcome::new(rewritten, evidence))
    }
}

/// Opens somebody else's note by its number.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn note_read_by_its_number(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    let mut answers = Vec::new();
    let mut read = false;
    for path in [
        scene.note.clone(),
        scene.at("edit"),
        scene.at("delete"),
        scene.at("share"),
    ] {
        let reply = scene.thief.open(&path).await?;
        read |= reply.text().contains(SECRET);
        answers.push(format!("{path}: {}", reply.status));
    }
    Ok(Outcome::new(read, answers.join(", ")))
}

/// Rewrites somebody else's note by its number.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn note_rewritten_by_its_number(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    let fields = [
        ("title", TITLE),
        ("body", WORDS),
        ("owner", "2"),
        ("role", "editor"),
    ];
    let answer = scene.send(&scene.at("edit"), &fields).await?;
    scene.is_rewritten(answer).await
}

/// Deletes somebody else's note by its number.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn note_deleted_by_its_number(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    let answer = scene.send(&scene.at("delete"), &[]).await?;
    let is_gone = !scene.says().await?.contains(SECRET);
    Ok(Outcome::new(is_gone, answer))
}

/// Looks for somebody else's notes in one's own lists.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn note_found_in_ones_own_lists(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    let mut lists = String::new();
    for path in ["/", "/shared/", "/?q=safe"] {
        lists.push_str(&scene.thief.open(path).await?.text());
    }
    Ok(Outcome::new(lists.contains(TITLE), "the lists were looked at"))
}

/// Goes on editing a note after its owner has taken that back, with the form that was open.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn grant_used_after_it_was_taken_back(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    scene.share("editor", "").await?;
    scene.opens_the_form().await?;
    let (share, revoke) = (scene.at("share"), scene.at("revoke"));
    let token = scene
        .owner
        .open(&share)
        .await?
        .field("csrfmiddlewaretoken")
        .unwrap_or_default();
    let fields = [("username", "mallory"), ("csrfmiddlewaretoken", token.as_str())];
    let origin = scene.owner.origin();
    let request = scene
        .owner
        .request(http::Method::POST, &revoke)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", &origin)
        .header("referer", format!("{origin}{share}"));
    let taken = scene
        .owner
        .send(request, testkit::visitor::form(&fields).into())
        .await?;
    ensure!(
        taken.status.is_redirection(),
        "taking back was answered with {}",
        taken.status
    );
    let answer = scene
        .send(&scene.at("edit"), &[("title", TITLE), ("body", WORDS)])
        .await?;
    scene.is_rewritten(answer).await
}

/// Goes on reading and editing a note after the last day for which it was shared.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn grant_used_after_its_day(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    scene.share("editor", "2099-12-31").await?;
    scene.opens_the_form().await?;
    target.let_grants_end()?;
    let mut seen = Vec::new();
    let mut read = false;
    for path in [scene.note.clone(), scene.at("edit"), "/shared/".to_owned()] {
        let reply = scene.thief.open(&path).await?;
        let text = reply.text();
        read |= text.contains(SECRET) || text.contains(TITLE);
        seen.push(format!("{path}: {}", reply.status));
    }
    let answer = scene
        .send(&scene.at("edit"), &[("title", TITLE), ("body", WORDS)])
        .await?;
    seen.push(format!("editing: {answer}"));
    let outcome = scene.is_rewritten(seen.join(", ")).await?;
    Ok(Outcome::new(read || outcome.succeeded, outcome.evidence))
}

/// Makes an editor of a viewer: by a field of the form, and by sharing the note with oneself.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn viewer_made_an_editor(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    scene.share("viewer", "").await?;
    let note = scene.note.clone();
    ensure!(
        scene.thief.open(&note).await?.text().contains(SECRET),
        "the viewer does not see the note"
    );
    let promote = [("username", "mallory"), ("role", "editor"), ("until", "")];
    let shared = scene.send(&scene.at("share"), &promote).await?;
    let fields = [
        ("title", TITLE),
        ("body", WORDS),
        ("role", "editor"),
        ("granted", "editor"),
    ];
    let edited = scene.send(&scene.at("edit"), &fields).await?;
    scene
        .is_rewritten(format!("sharing: {shared}, editing: {edited}"))
        .await
}
