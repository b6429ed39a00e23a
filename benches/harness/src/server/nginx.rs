//! nginx as it is set up to send public files: two workers, `sendfile`, connections kept open, no log of requests.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// Says whether there is one.
pub fn check() -> Result<()> {
    let found = program()
        .arg("-v")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        bail!(
            "the files are measured beside nginx (Debian: apt-get install nginx-light). Or leave it out: \
             --only bare,palisade,peers,django"
        );
    }
    Ok(())
}

/// Writes its settings and describes it.
pub(super) fn command(data: &Path, port: u16) -> Result<Command> {
    let folder = data.display();
    let settings = format!(
        "daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type text/plain;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 10000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {folder};
    }}
}}
"
    );
    let file = data.join("nginx.conf");
    fs::write(&file, settings)?;
    let mut command = program();
    command.arg("-p").arg(data).arg("-c").arg(file);
    Ok(command)
}

/// Debian keeps it where only an administrator looks.
fn program() -> Command {
    let usual = Path::new("/usr/sbin/nginx");
    Command::new(if usual.exists() { usual } else { Path::new("nginx") })
}
