//! What private database servers of tests share: a folder, a port, and a user that is not root.
//!
//! A server is started by the test and belongs to it: on a port that the system gave, with a data folder that did not exist
//! before, and with a password that nobody else knows. One that runs on the machine already is never asked.

use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::getuid;
use tempfile::TempDir;

/// Where Debian keeps servers that are not for everybody's `PATH`.
const SYSTEM: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// A place for a server's data, and whom its programs run as.
#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
    user: Option<(u32, u32)>,
}

impl Place {
    /// Makes an empty folder. Root gives it to the first of `users` that there is, since database servers refuse to be root.
    pub(crate) fn new(prefix: &str, users: &[&str]) -> Result<Place> {
        let folder = TempDir::with_prefix(prefix)?;
        let user = if getuid().is_root() {
            let user = ordinary(users)?;
            chown(folder.path(), Some(user.0), Some(user.1))?;
            Some(user)
        } else {
            None
        };
        Ok(Place { folder, user })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that the server alone may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let file = self.path().join(name);
        fs::write(&file, text)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        if let Some((user, group)) = self.user {
            chown(&file, Some(user), Some(group))?;
        }
        Ok(file)
    }

    /// A command that runs in the folder, as its owner, and does not know the settings of whoever runs the tests.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            // A MariaDB that starts clears the folder for temporary files, which must not be another's.
            .env("TMPDIR", self.path())
            .env("LC_ALL", "C.UTF-8");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("{name} could not be started"))?;
    ensure!(
        output.status.success(),
        "{name} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Finds a program, in the `PATH` or where Debian keeps servers.
pub(crate) fn installed(names: &[&str], folders: &[PathBuf], package: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = folders
        .iter()
        .cloned()
        .chain(env::split_paths(&path))
        .chain(SYSTEM.map(PathBuf::from))
        .collect();
    names
        .iter()
        .flat_map(|name| places.iter().map(move |place| place.join(name)))
        .find(|file| file.is_file())
        .with_context(|| {
            format!(
                "{} is not installed; install it with: sudo apt-get install {package}",
                names.join(" or ")
            )
        })
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Starts with other ports while somebody else takes the one that was free a moment ago.
pub(crate) fn on_a_free_port<T>(mut start: impl FnMut(u16) -> Result<T>) -> Result<T> {
    let mut last = None;
    for _ in 0..5 {
        match start(free_port()?) {
            Err(error) if error.to_string().contains("in use") => last = Some(error),
            started => return started,
        }
    }
    bail!("no port stayed free: {last:?}")
}

/// A password of hexadecimal digits.
pub(crate) fn password() -> Result<String> {
    let mut random = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(random)))
}

/// The user and group numbers of the first name that the system knows.
fn ordinary(names: &[&str]) -> Result<(u32, u32)> {
    let known = fs::read_to_string("/etc/passwd")?;
    let find = |name: &&str| {
        let line = known.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    names
        .iter()
        .chain(&["nobody"])
        .find_map(find)
        .context("root cannot run a database server, and there is no user to run it as")
}
