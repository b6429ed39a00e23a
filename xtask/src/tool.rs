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
    /// Arguments with which the program must succeed, where its being there is not enough.
    proof: &'static [&'static str],
}

impl Tool {
    fn is_there(&self) -> bool {
        let found = self.names.iter().find(|name| is_installed(name));
        found.is_some_and(|name| self.proof.is_empty() || succeeds(Command::new(name).args(self.proof)))
    }
}

/// What the browser tests drive.
pub(crate) const BROWSER: &[Tool] = &[
    Tool {
        names: &["chromium", "chromium-browser", "google-chrome"],
        package: "chromium",
        proof: &[],
    },
    Tool {
        names: &["chromedriver"],
        package: "chromium-driver",
        proof: &[],
    },
];

/// What makes Django's virtual environment; Debian packages the modules for it apart from the program.
pub(crate) const PYTHON: &[Tool] = &[Tool {
    names: &["python3"],
    package: "python3-venv",
    proof: &["-c", "import venv, ensurepip"],
}];

/// What the tests of stores, and of files that another server sends, start for themselves.
pub(crate) const SERVERS: &[Tool] = &[
    Tool {
        names: &["nginx"],
        package: "nginx-light",
        proof: &[],
    },
    Tool {
        names: &["postgres"],
        package: "postgresql",
        proof: &[],
    },
    Tool {
        names: &["redis-server", "valkey-server"],
        package: "redis-server",
        proof: &[],
    },
    Tool {
        names: &["mariadbd", "mysqld"],
        package: "mariadb-server",
        proof: &[],
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
        .filter(|tool| !tool.is_there())
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
    succeeds(Command::new("sudo").args(["--non-interactive", "true"]))
        .then_some("sudo DEBIAN_FRONTEND=noninteractive ")
}

/// Runs a command in silence.
fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
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
                package: "dash",
                proof: &[],
            }])
            .is_empty()
        );
        assert_eq!(
            missing(&[&Tool {
                names: &["no-such-program"],
                package: "nothing",
                proof: &[],
            }]),
            ["nothing"]
        );
    }

    #[test]
    fn a_tool_that_lacks_a_part_is_missing() {
        let shell = |proof| Tool {
            names: &["sh"],
            package: "dash",
            proof,
        };
        assert!(missing(&[&shell(&["-c", "true"])]).is_empty());
        assert_eq!(missing(&[&shell(&["-c", "false"])]), ["dash"]);
    }

    #[test]
    fn an_installation_is_a_script_that_a_shell_can_read() {
        let script = installing("", "true");
        let checked = Command::new("sh").args(["-n", "-c", &script]).status();
        assert!(checked.unwrap().success(), "{script}");
        assert!(script.contains("exit 101"), "no service is started: {script}");
    }
}
