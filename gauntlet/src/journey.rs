//! What a person does on the site, in a browser.

use anyhow::{Result, ensure};

use crate::Arena;

/// The button that ends a session.
pub const LOGOUT: &str = "form#logout button";

/// Somebody with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The name they log in with.
    pub username: &'static str,
    /// Their password.
    pub password: &'static str,
}

impl Person {
    /// Whom the attacks are aimed at.
    pub const VICTIM: Person = Person {
        username: "valerie",
        password: "correct horse battery 7",
    };
    /// Who has an account too, and bad intentions.
    pub const ATTACKER: Person = Person {
        username: "mallory",
        password: "staple gun umbrella 3",
    };
}

impl Arena {
    /// Goes the whole way: sign-up, login, a secret on its secure page, logout, and the closed door afterwards.
    ///
    /// # Errors
    /// When a step does not lead where it should.
    pub async fn whole_visit(&self) -> Result<()> {
        self.sign_up(Person::VICTIM).await?;
        self.log_in(Person::VICTIM).await?;
        self.keep_secret("safe", "combination-4711").await?;
        let shown = self.browser.text("main").await?;
        ensure!(
            shown.contains("combination-4711"),
            "the secret is not shown, but {shown}"
        );
        self.log_out().await?;
        ensure!(
            self.who().await?.is_none(),
            "still logged in after the button was pressed"
        );
        self.open("/profile/").await?;
        let url = self.browser.url().await?;
        ensure!(url.contains("/login/"), "the profile is open to anybody at {url}");
        Ok(())
    }

    /// Makes an account for `person`, unless they have one, and leaves nobody logged in.
    ///
    /// # Errors
    /// When the site does not make one.
    pub async fn sign_up(&self, person: Person) -> Result<()> {
        self.open("/").await?;
        if self.who().await?.is_some() {
            self.log_out().await?;
        }
        if !self.is_new(person.username) {
            return Ok(());
        }
        self.open("/signup/").await?;
        self.fill_sign_up(person).await?;
        self.browser.submit().await?;
        let refused = self.browser.has("[name=password2]").await?;
        ensure!(
            !refused,
            "{} was not signed up: {}",
            person.username,
            self.browser.text("main").await?
        );
        if self.who().await?.is_some() {
            self.log_out().await?;
        }
        Ok(())
    }

    /// Fills in the sign-up form that is shown.
    ///
    /// # Errors
    /// When a field is missing.
    pub async fn fill_sign_up(&self, person: Person) -> Result<()> {
        let email = format!("{}@example.com", person.username);
        let fields = [
            ("username", person.username),
            ("email", &email),
            ("password1", person.password),
            ("password2", person.password),
        ];
        self.browser.fill_all(&fields).await
    }

    /// Logs `person` in.
    ///
    /// # Errors
    /// When the site does not let them in.
    pub async fn log_in(&self, person: Person) -> Result<()> {
        self.open("/login/").await?;
        self.browser
            .fill_all(&[("username", person.username), ("password", person.password)])
            .await?;
        self.browser.submit().await?;
        let who = self.who().await?;
        let shown = || self.browser.text("main");
        ensure!(
            who.as_deref() == Some(person.username),
            "not logged in: {}",
            shown().await?
        );
        Ok(())
    }

    /// Makes an account for `person` and logs them in.
    ///
    /// # Errors
    /// When the site does not let them.
    pub async fn enter(&self, person: Person) -> Result<()> {
        self.sign_up(person).await?;
        self.log_in(person).await
    }

    /// Presses the button that logs out.
    ///
    /// # Errors
    /// When there is none.
    pub async fn log_out(&self) -> Result<()> {
        self.browser.follow(LOGOUT).await
    }

    /// Says as whom the page that is shown addresses its visitor.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn who(&self) -> Result<Option<String>> {
        let addressed = self.browser.has("[data-user]").await?;
        Ok(if addressed {
            Some(self.browser.text("[data-user]").await?)
        } else {
            None
        })
    }

    /// Writes a secret and follows to the page that shows it.
    ///
    /// # Errors
    /// When the site does not keep it.
    pub async fn keep_secret(&self, title: &str, body: &str) -> Result<()> {
        self.open("/secret/").await?;
        self.browser.fill_all(&[("title", title), ("body", body)]).await?;
        self.browser.submit().await?;
        let url = self.browser.url().await?;
        ensure!(
            url.contains("/secret/shown/"),
            "no page shows the secret, but {url}"
        );
        Ok(())
    }

    /// Returns what the page says, without the frame of every page.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn says(&self) -> Result<String> {
        self.browser.text("main").await
    }
}
