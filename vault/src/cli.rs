//! The command line: what can be told, and a help text that teaches.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use palisade::headers::FramePolicy;

const EXAMPLES: &str = "\
Examples:
  vault
      Serve https://localhost:8443 and keep everything in ./vault-data.

  vault --data /var/lib/vault --listen 127.0.0.1:9443 --http-listen 127.0.0.1:9080
      Keep the data elsewhere, and listen on other ports.

  vault --listen 0.0.0.0:443 --http-listen 0.0.0.0:80 --certificate chain.pem --key key.pem
      Serve other machines. Name the host: PALISADE_ALLOWED_HOSTS=vault.example

  vault --print-config > palisade.toml
      Write a file of all settings, to change some and start with it.

  vault --widget-origin https://partner.example
      Let one other site frame /widget/, and no other.

  PALISADE_SESSION_COOKIE_AGE=3600 vault --log info,palisade::access=warn
      Log people out after an hour, and log refusals but not every request.

  vault staff anna
      Make anna, who has an account, a member of staff: she may open /staff/.

  vault --staff-network 10.8.0.0/24 --staff-network 192.0.2.17
      Show the staff area to a network and one address, and to nobody else.

  vault --client-ca staff-ca.pem --client-crl staff-ca.crl
      Ask staff for a client certificate, too. `vault client-certificate anna` makes one to try it.

Trusting the development certificate:
  The first start makes an authority for this machine, in tls/ca.pem of the data folder. Import it once into
  your browser as an authority, or try: curl --cacert vault-data/tls/ca.pem https://localhost:8443/";

/// A place for confidential notes, served over HTTPS.
#[derive(Clone, Debug, Parser)]
#[command(name = "vault", version, after_help = EXAMPLES, next_line_help = true)]
pub struct Options {
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Where to serve HTTPS; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    pub listen: String,

    /// Where to send plain HTTP on to HTTPS
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub http_listen: String,

    /// The folder for database, key and certificate; made at the first start
    #[arg(long, value_name = "FOLDER", default_value = "vault-data", global = true)]
    pub data: PathBuf,

    /// A file of settings, which PALISADE_… variables override [default: palisade.toml, if it is there]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// A certificate chain (PEM), in place of the development certificate
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,

    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,

    /// A site that may frame /widget/; may be given several times. Without any, every site may
    #[arg(long = "widget-origin", value_name = "ORIGIN", value_parser = origin)]
    pub widget_origins: Vec<String>,

    /// A network from which there is a staff area; repeat it for more [default: this machine alone]
    #[arg(long = "staff-network", value_name = "NETWORK", global = true)]
    pub staff_networks: Vec<String>,

    /// An authority (PEM): staff needs a client certificate of it, beside the password
    #[arg(long, value_name = "FILE", global = true)]
    pub client_ca: Option<PathBuf>,

    /// What the authority has revoked (PEM or DER); several times for more lists
    #[arg(long = "client-crl", value_name = "FILE", requires = "client_ca")]
    pub client_crls: Vec<PathBuf>,

    /// What to log: error, warn, info, debug, or parts with levels of their own
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: String,

    /// Make a new secret key where the old one is lost; everybody has to log in again
    #[arg(long)]
    pub new_key: bool,

    /// Print all settings with their defaults, and stop
    #[arg(long)]
    pub print_config: bool,
}

/// What can be asked of the program besides serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Make somebody a member of staff, who may open /staff/
    Staff(StaffOptions),

    /// Make a client certificate of the development authority, to try --client-ca with
    ClientCertificate(CertificateOptions),

    /// Print every route: its methods, who may reach it, and each exception that it makes
    Routes(RoutesOptions),

    /// Say everything with which the vault does not start, and everything that is looser than it could be
    Check(CheckOptions),
}

/// How the findings are printed, and which of them make the command fail.
#[derive(Clone, Debug, Args)]
pub struct CheckOptions {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,

    /// Fail for warnings, too
    #[arg(long)]
    pub strict: bool,
}

/// Whom a client certificate is for.
#[derive(Clone, Debug, Args)]
pub struct CertificateOptions {
    /// The name that stands in it
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// How the routes are printed.
#[derive(Clone, Debug, Args)]
pub struct RoutesOptions {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// Who is to be a member of staff.
#[derive(Clone, Debug, Args)]
pub struct StaffOptions {
    /// The name that the person logs in with
    #[arg(value_name = "NAME")]
    pub username: String,

    /// Make the person no member of staff any more
    #[arg(long)]
    pub remove: bool,
}

fn origin(text: &str) -> Result<String, String> {
    match FramePolicy::ancestors([text]) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["vault"], arguments].concat())
    }

    #[test]
    fn command_line_is_consistent() {
        use clap::CommandFactory as _;
        Options::command().debug_assert();
    }

    #[test]
    fn nothing_has_to_be_said() {
        let options = parse(&[]).unwrap();
        assert_eq!(options.listen, "127.0.0.1:8443");
        assert_eq!(options.data, PathBuf::from("vault-data"));
        assert_eq!(options.config, None);
    }

    #[test]
    fn widget_origin_that_is_none_is_refused_with_an_example() {
        let error = parse(&["--widget-origin", "partner.example; script-src *"]).unwrap_err();
        assert!(
            error.to_string().contains("such as https://partner.example"),
            "{error}"
        );
    }

    #[test]
    fn certificate_needs_its_key() {
        assert!(parse(&["--certificate", "chain.pem"]).is_err());
        assert!(parse(&["--certificate", "chain.pem", "--key", "key.pem"]).is_ok());
    }
}
