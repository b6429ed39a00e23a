//! An nginx of a test's own: in front of a site of the test, on a free port, in a temporary folder, gone when it is dropped.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::process::getuid;
use tempfile::TempDir;

use crate::database::{installed, on_a_free_port};
use crate::process::Process;

/// How long it may take to listen, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(10);

/// A running nginx.
#[derive(Debug)]
pub struct Nginx {
    address: SocketAddr,
    process: Process,
    _folder: TempDir,
}

impl Nginx {
    /// Starts one whose only server has these locations, in nginx's own words. It runs as whoever runs the test, and so reads what they may.
    ///
    /// # Errors
    /// When nginx is not installed, with the package to install, or when it does not start.
    pub fn start(locations: &str) -> Result<Nginx> {
        let folder = TempDir::with_prefix("nginx-")?;
        let program = installed(&["nginx"], &[], "nginx-light")?;
        let (address, process) = on_a_free_port(|port| {
            let settings = folder.path().join("nginx.conf");
            std::fs::write(&settings, configuration(folder.path(), port, locations))?;
            let mut command = Command::new(&program);
            command.arg("-p").arg(folder.path()).arg("-c").arg(&settings);
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            Ok((address, listening(Process::start(command)?, address)?))
        })?;
        Ok(Nginx {
            address,
            process,
            _folder: folder,
        })
    }

    /// Where it listens, in clear.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has said of its faults.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

fn configuration(folder: &Path, port: u16, locations: &str) -> String {
    let user = if getuid().is_root() { "user root;" } else { "" };
    let folder = folder.display();
    format!(
        "{user}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr info;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
{locations}
    }}
}}
"
    )
}

/// It says nothing when it is ready, so its door is tried.
fn listening(process: Process, address: SocketAddr) -> Result<Process> {
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        let log = process.log();
        if log.contains("[emerg]") || begun.elapsed() > PATIENCE {
            bail!("nginx does not listen:\n{log}");
        }
        thread::sleep(GLANCE);
    }
    Ok(process)
}
