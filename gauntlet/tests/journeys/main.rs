//! What a person meets on every page of the vault: with clicks and keys, on a phone and on a desktop, by day and by night.
//!
//! Nobody sleeps here: time passes when the journey says so. Every page that a journey comes by is looked at, as `gauntlet::look`
//! says, and the browser has nothing to complain of.

mod account;
mod documents;
mod notes;
mod reset;
mod second_factor;
mod sessions;
mod staff;

use std::ops::Deref;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use gauntlet::{Arena, Person};
use palisade::clock::Clock;

/// The Enter key.
const ENTER: &str = "\n";

const ANNA: Person = Person {
    username: "anna",
    password: "correct horse battery 7",
};

/// A vault, a browser, and the time.
struct Journey {
    arena: Arena,
    clock: Clock,
}

impl Deref for Journey {
    type Target = Arena;

    fn deref(&self) -> &Arena {
        &self.arena
    }
}

impl Journey {
    async fn begin() -> Result<Journey> {
        Journey::with("").await
    }

    /// Begins with more lines of settings.
    async fn with(settings: &str) -> Result<Journey> {
        let clock = Clock::fixed(SystemTime::now());
        let arena = Arena::around_vault_at(&clock, settings).await?;
        Ok(Journey { arena, clock })
    }

    /// Makes an account, which logs in at once.
    async fn join(&self, person: Person) -> Result<()> {
        self.open("/signup/").await?;
        self.fill_sign_up(person).await?;
        self.browser.submit().await?;
        ensure!(
            self.who().await?.as_deref() == Some(person.username),
            "{}",
            self.says().await?
        );
        Ok(())
    }

    /// Types name and password into the page for it, and says what is shown then.
    async fn try_password(&self, username: &str, password: &str) -> Result<String> {
        self.open("/login/").await?;
        self.browser.fill("username", username).await?;
        self.browser.fill("password", password).await?;
        self.browser.enter(ENTER).await?;
        self.says().await
    }

    /// Types the day that comes so many days from now into a field for days, as an American browser takes it.
    async fn choose_day(&self, field: &str, ahead: u64) -> Result<()> {
        let seconds = self.seconds()? + ahead * 86_400;
        let day = "return new Date(arguments[0] * 1000).toISOString().slice(0, 10)";
        let day = self.browser.run(day, &[seconds.into()]).await?;
        let parts: Vec<&str> = day.as_str().unwrap_or_default().split('-').collect();
        let [year, month, date] = parts[..] else {
            bail!("{day} is no day");
        };
        let control = self.browser.find(&format!("[name={field}]")).await?;
        control.send_keys(&format!("{month}{date}{year}")).await?;
        assert_eq!(self.browser.value(field).await?, day);
        Ok(())
    }

    fn passes(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn seconds(&self) -> Result<u64> {
        Ok(self.clock.now().duration_since(UNIX_EPOCH)?.as_secs())
    }

    /// A person has been told that a form is not right: the focus is on the summary, whose link leads to the field.
    async fn refuses(&self, field: &str, sentence: &str) -> Result<()> {
        let summary = "return document.activeElement?.matches('.summary[role=alert]') ?? false";
        ensure!(
            self.browser.run(summary, &[]).await? == true,
            "the focus is not on what is wrong: {}",
            self.says().await?
        );
        let error = self.browser.text(&format!("#id_{field}_error")).await?;
        ensure!(error.contains(sentence), "{field} says {error}");
        let (page, at) = (self.browser.url().await?, format!("id_{field}"));
        self.browser.click(&format!(".summary a[href='#{at}']")).await?;
        let focus = self.browser.run("return document.activeElement?.id", &[]).await?;
        ensure!(focus == at.as_str(), "the link of {page} leads to {focus}");
        Ok(())
    }
}

/// The page says all of this.
#[track_caller]
fn says(page: &str, words: &[&str]) {
    for word in words {
        assert!(page.contains(word), "not {word:?} but\n{page}");
    }
}

/// The page says nothing of this.
#[track_caller]
fn hides(page: &str, words: &[&str]) {
    for word in words {
        assert!(!page.contains(word), "{word:?} stands in\n{page}");
    }
}
