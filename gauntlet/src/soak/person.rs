//! Somebody who works on a vault that is killed meanwhile, and remembers what they were promised.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use testkit::Visitor;
use testkit::visitor::{self, Reply};
use tokio::sync::watch;

use super::{Dice, Ended, Register, Toll};
use crate::{Person, Target};

/// How many notes one person writes; afterwards they change them.
const NOTES: usize = 8;

/// How many ended sessions are tried again after each start, the latest first.
const TRIED: usize = 10;

/// One note: where it is, what it says, and whether the reader may see it.
#[derive(Debug)]
struct Note {
    path: String,
    words: Register<String>,
    shared: Register<bool>,
}

/// Somebody at work.
#[derive(Debug)]
pub(super) struct Busy {
    name: String,
    visitor: Visitor,
    reader: Visitor,
    dice: Dice,
    moved: watch::Receiver<SocketAddr>,
    notes: Vec<Note>,
    /// Titles of notes that were sent; those answered must be in the list.
    titles: Vec<(String, Register<bool>)>,
    ended: Ended,
    /// Whether the visitor's session is logged in.
    inside: Register<bool>,
    written: u64,
    toll: Toll,
}

impl Busy {
    /// Signs up, and somebody else who reads what is shared.
    pub(super) async fn enter(
        target: &Target,
        number: u64,
        dice: Dice,
        moved: watch::Receiver<SocketAddr>,
    ) -> Result<Busy> {
        let name = format!("writer{number}");
        let visitor = signed_up(target.visitor()?, &name).await?;
        let reader = signed_up(target.visitor()?, &format!("reader{number}")).await?;
        Ok(Busy {
            name,
            visitor,
            reader,
            dice,
            moved,
            notes: Vec::new(),
            titles: Vec::new(),
            ended: Ended::default(),
            inside: Register::holding(true),
            written: 0,
            toll: Toll::default(),
        })
    }

    /// Works until nobody starts the vault again.
    pub(super) async fn work(mut self) -> Result<Busy> {
        loop {
            let done = self.one_thing().await;
            if done.is_ok() && self.moved.has_changed().is_err() {
                return Ok(self);
            }
            let Err(error) = done else { continue };
            // A broken promise is no broken connection.
            if error.downcast_ref::<Broken>().is_some() {
                return Err(error);
            }
            // Either the vault was killed, or it answers wrongly; the second is still so after the next start, and told then.
            if self.moved.changed().await.is_err() {
                return Ok(self);
            }
            let address = *self.moved.borrow_and_update();
            if let Err(error) = self.look_back(address).await
                && error.downcast_ref::<Broken>().is_some()
            {
                return Err(error);
            }
        }
    }

    async fn one_thing(&mut self) -> Result<()> {
        if self.visitor.cookie("sessionid").is_none() {
            return self.log_in().await;
        }
        match self.dice.below(10) {
            0 | 1 if self.titles.len() < NOTES => self.write().await,
            0..=5 => self.change().await,
            6 | 7 => self.share().await,
            8 => self.renew().await,
            _ => self.read().await,
        }
    }

    async fn write(&mut self) -> Result<()> {
        let title = format!("{} note {}", self.name, self.titles.len());
        let words = self.words();
        let mut there = Register::holding(false);
        there.send(true);
        self.titles.push((title.clone(), there));
        let fields = [("title", title.as_str()), ("body", words.as_str())];
        self.ask("/secret/", &fields).await?;
        if let Some((_, there)) = self.titles.last_mut() {
            there.acknowledge();
        }
        let list = self.visitor.open("/").await?.text();
        let path = place(&list, &title).with_context(|| format!("{title} is not in the list"))?;
        self.notes.push(Note {
            path,
            words: Register::holding(words),
            shared: Register::holding(false),
        });
        Ok(())
    }

    async fn change(&mut self) -> Result<()> {
        let Some(index) = self.any() else { return Ok(()) };
        let words = self.words();
        let Some(note) = self.notes.get_mut(index) else {
            return Ok(());
        };
        note.words.send(words.clone());
        let edit = format!("{}edit/", note.path);
        let fields = [("title", "changed"), ("body", words.as_str())];
        self.ask(&edit, &fields).await?;
        if let Some(note) = self.notes.get_mut(index) {
            note.words.acknowledge();
        }
        Ok(())
    }

    async fn share(&mut self) -> Result<()> {
        let Some(index) = self.any() else { return Ok(()) };
        let share = self.dice.below(2) == 0;
        let reader = self.name.replace("writer", "reader");
        let Some(note) = self.notes.get_mut(index) else {
            return Ok(());
        };
        note.shared.send(share);
        let path = note.path.clone();
        if share {
            let fields = [("username", reader.as_str()), ("role", "viewer"), ("until", "")];
            self.ask(&format!("{path}share/"), &fields).await?;
        } else {
            let fields = [("username", reader.as_str())];
            self.press(&format!("{path}share/"), &format!("{path}revoke/"), &fields)
                .await?;
        }
        if let Some(note) = self.notes.get_mut(index) {
            note.shared.acknowledge();
        }
        Ok(())
    }

    /// Logs out and in again.
    async fn renew(&mut self) -> Result<()> {
        let session = self.visitor.cookie("sessionid").map(str::to_owned);
        let Some(session) = session else {
            return self.log_in().await;
        };
        let before = self.visitor.clone();
        self.inside.send(false);
        self.press("/", "/logout/", &[]).await?;
        self.inside.acknowledge();
        self.ended.acknowledge(session);
        self.visitor = before.stranger();
        self.log_in().await
    }

    async fn log_in(&mut self) -> Result<()> {
        let fields = [
            ("username", self.name.as_str()),
            ("password", Person::VICTIM.password),
        ];
        self.inside.send(true);
        let reply = self.visitor.submit("/login/", &fields).await;
        self.answered(reply)?;
        ensure!(self.visitor.cookie("sessionid").is_some(), "nobody is logged in");
        self.inside.acknowledge();
        Ok(())
    }

    async fn read(&mut self) -> Result<()> {
        let Some(index) = self.any() else { return Ok(()) };
        self.compare(index).await
    }

    /// Compares what one note says, and who sees it, with what was promised.
    async fn compare(&mut self, index: usize) -> Result<()> {
        let Some(note) = self.notes.get_mut(index) else {
            return Ok(());
        };
        let reply = self.visitor.open(&note.path).await?;
        ensure!(!reply.status.is_server_error(), "{}", reply.status);
        note.words
            .see(words_in(&reply.text()).unwrap_or_default())
            .map_err(|error| Broken(format!("{}: {error:#}", note.path)))?;
        let seen = self.reader.open(&note.path).await?;
        ensure!(!seen.status.is_server_error(), "{}", seen.status);
        note.shared
            .see(seen.status.is_success())
            .map_err(|error| Broken(format!("sharing of {}: {error:#}", note.path)))?;
        Ok(())
    }

    /// Compares everything with what was promised, at the vault's new address.
    pub(super) async fn look_back(&mut self, address: SocketAddr) -> Result<Toll> {
        self.visitor.turn_to(address);
        self.reader.turn_to(address);
        let first = self.ended.sessions().len().saturating_sub(TRIED);
        for session in self.ended.sessions().iter().skip(first) {
            let mut thief = self.visitor.stranger().with_cookie("sessionid", session);
            let page = thief.open("/").await?;
            ensure!(page.status.is_success(), "{}", page.status);
            self.ended
                .see(session, page.text().contains("data-user"))
                .map_err(|error| Broken(format!("{}: {error:#}", self.name)))?;
        }
        self.toll.ended = self.ended.sessions().len();
        let page = self.visitor.open("/").await?;
        ensure!(page.status.is_success(), "{}", page.status);
        let inside = page.text().contains("data-user");
        self.inside
            .see(inside)
            .map_err(|error| Broken(format!("{} was logged in: {error:#}", self.name)))?;
        if !inside {
            // A logout that was sent and not answered has ended it.
            self.visitor = self.visitor.stranger();
            let again = self.log_in().await;
            if again.is_err() && self.visitor.cookie("sessionid").is_none() {
                // The login has to wait: nothing can be compared before the next start.
                return again
                    .or_else(|error| {
                        error
                            .downcast::<Broken>()
                            .map_or(Ok(()), |broken| Err(broken.into()))
                    })
                    .map(|()| self.toll);
            }
        }
        let list = self.visitor.open("/").await?;
        ensure!(list.status.is_success(), "{}", list.status);
        let list = list.text();
        for index in 0..self.notes.len() {
            self.compare(index).await?;
        }
        self.toll.compared += self.notes.len();
        let count = list.matches("href=\"/secret/").count();
        let promised = self.notes.len();
        ensure!(
            count >= promised,
            Broken(format!(
                "{promised} notes were promised, and {count} are in the list"
            ))
        );
        Ok(self.toll)
    }

    async fn ask(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<()> {
        let reply = self.visitor.submit(path, fields).await;
        self.answered(reply)
    }

    /// Sends a form that stands on the page of another address.
    async fn press(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Result<()> {
        let token = self.visitor.open(page).await?.field("csrfmiddlewaretoken");
        let token = token.with_context(|| format!("{page} has no form"))?;
        let request = self
            .visitor
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, self.visitor.origin())
            .header("X-CSRFToken", token);
        let body = Bytes::from(visitor::form(fields));
        let reply = self.visitor.send(request, body).await;
        self.answered(reply)
    }

    /// A change counts as promised when it was answered as one that was made: with a redirect.
    fn answered(&mut self, reply: Result<Reply>) -> Result<()> {
        match reply {
            Ok(reply) if reply.status.is_redirection() => {
                self.toll.promises += 1;
                Ok(())
            }
            Ok(reply) => {
                self.toll.unanswered += 1;
                let status = reply.status;
                // A login that a kill cuts off stays counted as a try, and after five of these the next has to wait.
                let later = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
                ensure!(later, Broken(format!("a change was answered with {status}")));
                anyhow::bail!("answered with {status}")
            }
            Err(error) => {
                self.toll.unanswered += 1;
                Err(error)
            }
        }
    }

    fn any(&mut self) -> Option<usize> {
        let count = u64::try_from(self.notes.len()).ok().filter(|count| *count > 0)?;
        usize::try_from(self.dice.below(count)).ok()
    }

    fn words(&mut self) -> String {
        self.written += 1;
        format!("words-{}-{}-end", self.name, self.written)
    }
}

/// A promise that was not kept.
#[derive(Debug)]
struct Broken(String);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

async fn signed_up(mut visitor: Visitor, name: &str) -> Result<Visitor> {
    let password = Person::VICTIM.password;
    let fields = [
        ("username", name),
        ("email", ""),
        ("password1", password),
        ("password2", password),
    ];
    visitor.submit("/signup/", &fields).await?;
    ensure!(visitor.cookie("sessionid").is_some(), "{name} is not signed up");
    Ok(visitor)
}

/// Finds the address of a note in a list by its title.
fn place(list: &str, title: &str) -> Option<String> {
    let (before, _) = list.split_once(title)?;
    let (_, link) = before.rsplit_once("href=\"/secret/")?;
    let id = link.split('/').next()?.parse::<u64>().ok()?;
    Some(format!("/secret/{id}/"))
}

/// Finds what a note says in its page.
fn words_in(page: &str) -> Option<String> {
    let from = page.find("words-")?;
    let (words, _) = page.get(from..)?.split_once("-end")?;
    Some(format!("{words}-end"))
}
