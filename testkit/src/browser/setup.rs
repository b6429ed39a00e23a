//! How a browser is started: names, trusted keys, window, and nothing of the machine's own profile.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use fantoccini::ClientBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::Browser;
use crate::{Process, Site};

/// How long the driver may take to start, on a machine that compiles at the same time.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser that is to be started.
#[derive(Debug, Clone)]
pub struct Setup {
    rules: Vec<String>,
    keys: Vec<String>,
    window: (u32, u32),
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            rules: Vec::new(),
            keys: Vec::new(),
            window: (1100, 800),
        }
    }
}

impl Setup {
    /// Leads `name`, with a port such as `vault.test:443`, to `address`.
    #[must_use]
    pub fn resolve(mut self, name: &str, address: SocketAddr) -> Setup {
        self.rules.push(format!("MAP {name} {address}"));
        self
    }

    /// Trusts the key with this [fingerprint](crate::spki_fingerprint).
    #[must_use]
    pub fn trust(mut self, fingerprint: &str) -> Setup {
        self.keys.push(fingerprint.to_owned());
        self
    }

    /// Leads `name` to a site of the test, on port 443 if it is served over TLS, else on port 80, and trusts its key.
    #[must_use]
    pub fn visit(self, name: &str, site: &Site) -> Setup {
        match site.fingerprint() {
            Some(fingerprint) => self
                .resolve(&format!("{name}:443"), site.address())
                .trust(&fingerprint),
            None => self.resolve(&format!("{name}:80"), site.address()),
        }
    }

    /// Sets the size of the window.
    #[must_use]
    pub fn window(mut self, width: u32, height: u32) -> Setup {
        self.window = (width, height);
        self
    }

    /// Starts the browser.
    ///
    /// # Errors
    /// When Chromium or its driver is not installed or does not start.
    pub async fn start(self) -> Result<Browser> {
        let profile = tempfile::Builder::new().prefix("browser-").tempdir()?;
        let (driver, port) = start_driver(profile.path())?;

        let options = json!({
            "binary": installed(&["chromium", "chromium-browser", "google-chrome"])?,
            // The browser's own blocking of third-party cookies would answer attacks in the site's place.
            "prefs": { "profile.block_third_party_cookies": false, "profile.cookie_controls_mode": 0 },
            "args": self.arguments(&profile.path().join("profile").to_string_lossy()),
        });
        let capabilities = [
            ("browserName".to_owned(), json!("chrome")),
            ("goog:chromeOptions".to_owned(), options),
            ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" })),
        ];
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.into_iter().collect())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .inspect_err(|_| drop(shut_down(port)))
            .with_context(|| format!("the browser did not start; its driver says:\n{}", driver.log()))?;
        Ok(Browser {
            client,
            driver,
            port,
            _profile: profile,
        })
    }

    fn arguments(&self, profile: &str) -> Value {
        let (width, height) = self.window;
        // The last rule keeps the browser off every network, its own maker's included.
        let rules = [
            &self.rules[..],
            &["MAP * ~NOTFOUND".into(), "EXCLUDE 127.0.0.1".into()],
        ]
        .concat();
        json!([
            "--headless=new",
            // The browser only ever sees pages of the tests, and its sandbox needs rights that containers lack.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--no-default-browser-check",
            "--no-proxy-server",
            // An attacker's page in clear must be reached in clear.
            "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,OptimizationHints,MediaRouter",
            "--lang=en",
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={profile}"),
            format!("--host-resolver-rules={}", rules.join(",")),
            format!("--ignore-certificate-errors-spki-list={}", self.keys.join(",")),
        ])
    }
}

/// Asks the driver on `port` to close its browsers and end.
pub(super) fn shut_down(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(format!("GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").as_bytes())?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}

/// Starts the driver on a port that the system chose. It takes the port that was free for one kind of address for the other, too,
/// where somebody else may have it: then it ends, and another is tried.
fn start_driver(home: &Path) -> Result<(Process, u16)> {
    let mut tries = 0;
    loop {
        tries += 1;
        let mut command = Command::new(installed(&["chromedriver"])?);
        command.arg("--port=0").env("HOME", home).env_remove("DISPLAY");
        let driver = Process::start(command)?;
        match driver.wait_for(PATIENCE, port_in) {
            Ok(port) => return Ok((driver, port)),
            Err(error) if tries < 5 && error.to_string().contains("Address already in use") => {}
            Err(error) => return Err(error),
        }
    }
}

fn port_in(line: &str) -> Option<u16> {
    line.strip_prefix("ChromeDriver was started successfully on port ")?
        .trim_end_matches('.')
        .parse()
        .ok()
}

fn installed(names: &[&str]) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = || std::env::split_paths(&path);
    names
        .iter()
        .flat_map(|name| places().map(move |place| place.join(name)))
        .find(|file| file.is_file())
        .with_context(|| {
            format!(
                "{} is not installed; on Debian: apt-get install chromium chromium-driver",
                names.join(" or ")
            )
        })
}
