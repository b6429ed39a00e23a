//! What every store of sessions on a database server must do when that server goes away, hangs, or is somebody else's.

use std::error::Error;
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt;
use http::StatusCode;
use palisade::mysql::{MySqlOptions, field};
use palisade::postgres::PostgresOptions;
use palisade::session::contract::{Contract, Server};
use palisade::session::store::Stored;
use palisade::session::{MySqlSessions, PostgresSessions, SessionKey, SessionStore};

use crate::client::{Client, settings};
use crate::session_site::site_on;

/// As long as a busy machine may need: what is tested is not its speed.
const PATIENCE: Duration = Duration::from_mins(2);

/// A private server, and the sessions in it.
pub(crate) trait DatabaseServer: Sized {
    type Sessions: SessionStore;

    /// What an address says to trust the authority in a file.
    const TRUST: &str;
    /// What the error of a key that is there already says.
    const THERE_ALREADY: &str;
    /// What the error of a wrong password says.
    const REFUSED: &str;

    fn start() -> Self;
    fn with_tls(certificate: &str, key: &str) -> Self;
    fn url(&self) -> String;
    fn password(&self) -> &str;
    fn kill(&mut self);
    fn resume(&mut self);
    fn freeze(&self);
    fn thaw(&self);

    /// Opens the database at an address, with one time limit for everything.
    async fn sessions(address: &str, limit: Duration) -> Result<Self::Sessions, Box<dyn Error>>;

    /// Whether a connection to an address is encrypted.
    async fn is_encrypted(address: &str) -> bool;
}

/// The same methods under the same names, which the test tools give to both servers.
impl DatabaseServer for testkit::Postgres {
    type Sessions = PostgresSessions;

    const TRUST: &str = "sslmode=require&sslrootcert=";
    const THERE_ALREADY: &str = "duplicate key";
    const REFUSED: &str = "password authentication failed";

    fn start() -> Self {
        Self::start().unwrap()
    }

    fn with_tls(certificate: &str, key: &str) -> Self {
        Self::with_tls(certificate, key).unwrap()
    }

    fn url(&self) -> String {
        self.url()
    }

    fn password(&self) -> &str {
        self.password()
    }

    fn kill(&mut self) {
        self.kill().unwrap();
    }

    fn resume(&mut self) {
        self.resume().unwrap();
    }

    fn freeze(&self) {
        self.freeze().unwrap();
    }

    fn thaw(&self) {
        self.thaw().unwrap();
    }

    async fn sessions(address: &str, limit: Duration) -> Result<PostgresSessions, Box<dyn Error>> {
        let options = PostgresOptions::new()
            .connection_deadline(limit)
            .statement_deadline(limit);
        Ok(PostgresSessions::new(options.open(address).await?).await?)
    }

    async fn is_encrypted(address: &str) -> bool {
        let database = PostgresOptions::new()
            .connection_deadline(PATIENCE)
            .open(address)
            .await
            .unwrap();
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        database
            .one(sql, &[], |row| row.try_get(0))
            .await
            .unwrap()
            .unwrap()
    }
}

impl DatabaseServer for testkit::MariaDb {
    type Sessions = MySqlSessions;

    const TRUST: &str = "ssl-ca=";
    const THERE_ALREADY: &str = "there already";
    const REFUSED: &str = "Access denied";

    fn start() -> Self {
        Self::start().unwrap()
    }

    fn with_tls(certificate: &str, key: &str) -> Self {
        Self::with_tls(certificate, key).unwrap()
    }

    fn url(&self) -> String {
        self.url()
    }

    fn password(&self) -> &str {
        self.password()
    }

    fn kill(&mut self) {
        self.kill().unwrap();
    }

    fn resume(&mut self) {
        self.resume().unwrap();
    }

    fn freeze(&self) {
        self.freeze().unwrap();
    }

    fn thaw(&self) {
        self.thaw().unwrap();
    }

    async fn sessions(address: &str, limit: Duration) -> Result<MySqlSessions, Box<dyn Error>> {
        let options = MySqlOptions::new()
            .connection_deadline(limit)
            .statement_deadline(limit);
        Ok(MySqlSessions::new(options.open(address).await?).await?)
    }

    async fn is_encrypted(address: &str) -> bool {
        let database = MySqlOptions::new()
            .connection_deadline(PATIENCE)
            .open(address)
            .await
            .unwrap();
        let row = database
            .one("SHOW SESSION STATUS LIKE 'Ssl_version'", Vec::new())
            .await
            .unwrap();
        field::<String>(&mut row.unwrap(), 1)
            .unwrap()
            .starts_with("TLSv1.")
    }
}

/// A session of an hour.
fn session(now: SystemTime) -> Stored {
    Stored {
        data: "data".to_owned(),
        expires: now + Duration::from_hours(1),
    }
}

async fn begin(store: &impl SessionStore, now: SystemTime) -> SessionKey {
    let key = SessionKey::generate();
    store.create(&key, session(now), None, None, now).await.unwrap();
    key
}

pub(crate) async fn keeps_the_contract_in_an_outage<S: DatabaseServer>() {
    let mut server = S::start();
    Contract::of(S::sessions(&server.url(), PATIENCE).await.unwrap())
        .survives_outage(async |state| match state {
            Server::Down => server.kill(),
            Server::Up => server.resume(),
        })
        .await;
}

pub(crate) async fn is_a_503_while_it_is_gone<S: DatabaseServer>() {
    let mut server = S::start();
    let store = S::sessions(&server.url(), Duration::from_secs(3)).await.unwrap();
    let site = site_on(settings(), store);
    let client = Client::new(&site.app);
    assert_eq!(client.get("/set/apple").await.status, StatusCode::OK);

    server.kill();
    for path in ["/show", "/set/pear", "/show"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.header("set-cookie"), "", "the cookie stays");
    }
    server.resume();
    assert_eq!(client.get("/show").await.text, "apple");
    assert_eq!(client.get("/set/pear").await.status, StatusCode::OK);
    assert_eq!(client.get("/show").await.text, "pear");
}

pub(crate) async fn heals_when_it_hung<S: DatabaseServer>() {
    let server = S::start();
    // Long enough for a busy machine to answer in, when it answers.
    let limit = Duration::from_secs(2);
    let now = SystemTime::now();
    let key = begin(&S::sessions(&server.url(), PATIENCE).await.unwrap(), now).await;
    let store = S::sessions(&server.url(), limit).await.unwrap();

    server.freeze();
    let asked = Instant::now();
    assert!(store.load(&key, now).await.is_err());
    assert!(store.delete(&key).await.is_err());
    assert!(asked.elapsed() < limit * 10, "{:?}", asked.elapsed());
    server.thaw();
    let again = async {
        // The first tries may still meet what had hung.
        while store.delete(&key).await.is_err() {}
        loop {
            if let Ok(found) = store.load(&key, now).await {
                return found;
            }
        }
    };
    let again = tokio::time::timeout(Duration::from_mins(1), again).await;
    assert_eq!(again.unwrap(), None);
}

pub(crate) async fn ends_a_session_whose_client_hung_up(store: &impl SessionStore) {
    let now = SystemTime::now();
    let key = begin(store, now).await;
    assert!(
        store.delete(&key).now_or_never().is_none(),
        "nobody waits for the answer"
    );
    let gone = async { while store.load(&key, now).await.unwrap().is_some() {} };
    tokio::time::timeout(Duration::from_mins(1), gone).await.unwrap();
}

pub(crate) async fn tells_no_secrets<S: DatabaseServer>(server: &S) {
    let wrong = server.url().replace(server.password(), "hunter2");
    let error = S::sessions(&wrong, PATIENCE).await.err().unwrap();
    assert!(error.to_string().contains(S::REFUSED), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
    let place = wrong.rsplit_once('@').unwrap().1.split('/').next().unwrap();
    assert!(
        error
            .to_string()
            .contains(&format!(" at {place} cannot be reached: ")),
        "{error}"
    );

    let store = S::sessions(&server.url(), PATIENCE).await.unwrap();
    assert!(!format!("{store:?}").contains(server.password()));
    let now = SystemTime::now();
    let key = begin(&store, now).await;
    let error = store
        .create(&key, session(now), None, None, now)
        .await
        .unwrap_err();
    assert!(format!("{error:?}").contains(S::THERE_ALREADY), "{error:?}");
    assert!(!format!("{error:?}").contains(key.expose()), "{error:?}");
}

pub(crate) async fn speaks_tls_with_whom_it_means<S: DatabaseServer>(in_clear: &S) {
    let [ours, theirs] = [(); 2].map(|()| testkit::Authority::new().unwrap());
    let (certificate, key) = ours.issue_pem(&["localhost"]).unwrap();
    let server = S::with_tls(&certificate, &key);
    let folder = tempfile::tempdir().unwrap();
    let trust = |name: &str, authority: &testkit::Authority| {
        let file = folder.path().join(name);
        std::fs::write(&file, authority.pem()).unwrap();
        format!("{}{}", S::TRUST, file.display())
    };
    let (ours, theirs) = (trust("ours.pem", &ours), trust("theirs.pem", &theirs));
    let named = |server: &S| server.url().replace("127.0.0.1", "localhost");

    assert!(S::is_encrypted(&format!("{}?{ours}", named(&server))).await);
    for (address, why) in [
        (format!("{}?{theirs}", named(&server)), "certificate"),
        (format!("{}?{ours}", server.url()), "certificate"),
        (format!("{}?{ours}.gone", named(&server)), "ours.pem.gone"),
        (format!("{}?{ours}", named(in_clear)), " cannot be reached"),
    ] {
        let error = S::sessions(&address, PATIENCE).await.err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
        assert!(!error.contains(server.password()), "{error}");
    }
}
