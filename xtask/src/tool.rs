//! Programs of the system that tests need, installed where that is allowed and asked for where it is not.
//!
//! A C compiler is needed too, for the cryptography and for SQLite, but whoever could link this program has one.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

/// A program, under any of its names, and the Debian package that brings it.
pub(crate) struct Tool {
    names: &'static [&'static str],
    package: &'static str,
}

/// What the browser tests drive.
pub(crate) const BROWSER: &[Tool] = &[
    Tool {
        names: &["chromium", "chromium-browser", "google-chrome"],
        package: "chromium",
    },
    Tool {
        names: &["chromedriver"],
        package: "chromium-driver",
    },
];

/// What the tests of stores start for themselves.
pub(crate) const SERVERS: &[Tool] = &[
    Tool {
        names: &["postgres"],
        package: "postgresql",
    },
    Tool {
        names: &["redis-server", "valkey-server"],
        package: "redis-server",
    },
    Tool {
        names: &["mariadbd", "mysqld"],
        package: "mariadb-server",
    },
];

/// Where Debian keeps programs that are not for everybody's `PATH`.
const SYSTEM: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// Says no to every package that wants to start a service while it is installed: the tests start servers of their own.
const NO_SERVICE: &str = "/usr/sbin/policy-rc.d";

/// Makes sure that `tools` are there, installing them if this user may.
pub(crate) fn provide(tools: &[&Tool]) -> Result<()> {
    let packages = missing(tools);
    if packages.is_empty() {
        return Ok(());
    }
    let command = format!(
        "apt-get install --yes --no-install-recommends {}",
        packages.join(" ")
    );
    if let Some(become_root) = installer() {
        let script = installing(become_root, &command);
        let status = Command::new("sh")
            .arg("-c")
            .arg(script)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()?;
        ensure!(status.success(), "`{command}` failed");
    }
    let packages = missing(tools);
    ensure!(
        packages.is_empty(),
        "{} not found; install with: sudo {command}",
        packages.join(" and ")
    );
    Ok(())
}

/// The shell's words for an installation that starts no service, and leaves a machine's own rule about that alone.
fn installing(become_root: &str, command: &str) -> String {
    format!(
        "if [ ! -e {NO_SERVICE} ]; then \
             trap '{become_root}rm -f {NO_SERVICE}' EXIT; \
             printf '#!/bin/sh\\nexit 101\\n' | {become_root}tee {NO_SERVICE} >/dev/null; \
             {become_root}chmod 755 {NO_SERVICE}; \
         fi; \
         {become_root}apt-get update && {become_root}{command}"
    )
}

fn missing(tools: &[&Tool]) -> Vec<&'static str> {
    tools
        .iter()
        .filter(|tool| !tool.names.iter().any(|name| is_installed(name)))
        .map(|tool| tool.package)
        .collect()
}

/// Says how to install as root without asking anybody for a password; nothing where that cannot be done.
fn installer() -> Option<&'static str> {
    if !is_installed("apt-get") {
        return None;
    }
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some("");
    }
    let mut sudo = Command::new("sudo");
    let asked = sudo
        .args(["--non-interactive", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked
        .is_ok_and(|status| status.success())
        .then_some("sudo DEBIAN_FRONTEND=noninteractive ")
}

fn is_installed(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM.map(PathBuf::from))
        .chain(versions_of_postgres())
        .map(|folder: PathBuf| folder.join(name))
        .any(|file| file.is_file())
}

/// Debian keeps each version's programs in a folder of its own.
fn versions_of_postgres() -> impl Iterator<Item = PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    versions.map(|version| version.path().join("bin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_found_under_any_of_its_names() {
        assert!(
            missing(&[&Tool {
                names: &["no-such-shell", "sh"],
                package: "dash"
            }])
            .is_empty()
        );
        assert_eq!(
            missing(&[&Tool {
                names: &["no-such-program"],
                package: "nothing"
            }]),
            ["nothing"]
        );
    }

    #[test]
    fn an_installation_is_a_script_that_a_shell_can_read() {
        let script = installing("", "true");
        let checked = Command::new("sh").args(["-n", "-c", &script]).status();
        assert!(checked.unwrap().success(), "{script}");
        assert!(script.contains("exit 101"), "no service is started: {script}");
    }
}
