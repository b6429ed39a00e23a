//! Files in a bucket, of a real server that checks signatures and rights: the contract, and what goes wrong on the way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use palisade::SecretKey;
use palisade::media::contract::keeps_files;
use palisade::media::{MediaError, MediaName, MediaStore as _, S3, S3Credentials, S3Options};
use testkit::S3Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

fn bucket_at(address: &str, key: (&str, &str)) -> S3 {
    let key = S3Credentials::new(key.0, SecretKey::new(key.1));
    let options = S3Options::new("us-east-1")
        .endpoint(address)
        .prefix("vault/media");
    options.open(S3Server::BUCKET, &key).unwrap()
}

#[tokio::test]
async fn a_bucket_keeps_what_every_store_of_files_must() {
    let server = S3Server::start().unwrap();
    let bucket = bucket_at(server.url(), server.key());
    let folder = tempfile::tempdir().unwrap();
    keeps_files(&bucket, folder.path()).await;
    assert_eq!(server.look().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn files_lie_below_the_prefix_and_what_others_keep_beside_it_is_left_alone() {
    let server = S3Server::start().unwrap();
    let key = S3Credentials::new(server.key().0, SecretKey::new(server.key().1));
    let options = S3Options::new("us-east-1").endpoint(server.url());
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (MediaName::draw(), MediaName::draw());
    let path = folder.path().join("spooled");
    std::fs::write(&path, "a file").unwrap();
    let bucket = |prefix| {
        options
            .clone()
            .prefix(prefix)
            .open(S3Server::BUCKET, &key)
            .unwrap()
    };
    bucket("vault").keep(&path, &ours).await.unwrap();
    bucket("vault-of-others").keep(&path, &theirs).await.unwrap();
    let listed = bucket("vault").list().await.unwrap();
    assert_eq!(
        listed.iter().map(|listed| listed.name).collect::<Vec<_>>(),
        [ours]
    );
    assert!(matches!(
        bucket("vault").open(&theirs).await,
        Err(MediaError::Missing)
    ));
    let mut seen = server.look().unwrap();
    seen.sort();
    assert_eq!(
        seen,
        [
            format!("file vault-of-others/{theirs} 6"),
            format!("file vault/{ours} 6")
        ]
    );
}

#[tokio::test]
async fn a_bucket_that_gives_its_files_to_everybody_is_refused() {
    let server = S3Server::start_public().unwrap();
    let why = bucket_at(server.url(), server.key())
        .check()
        .await
        .unwrap_err()
        .to_string();
    assert!(why.contains("gives its files to whoever asks"), "{why}");
    assert_eq!(
        server.look().unwrap(),
        Vec::<String>::new(),
        "the trial stays there"
    );
    let key = S3Credentials::new(server.key().0, SecretKey::new(server.key().1));
    let options = S3Options::new("us-east-1")
        .endpoint(server.url())
        .dangerous_public_bucket();
    options
        .open(S3Server::BUCKET, &key)
        .unwrap()
        .check()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_wrong_key_and_a_server_that_is_gone_are_said_without_the_key() {
    let server = S3Server::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spooled");
    std::fs::write(&path, "a file").unwrap();
    let name = MediaName::draw();
    let wrong = bucket_at(server.url(), (server.key().0, "a-wrong-secret-of-a-key"));
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    for bucket in [wrong, bucket_at(&gone, ("id", "a-wrong-secret-of-a-key"))] {
        for why in [
            bucket.check().await.unwrap_err(),
            bucket.keep(&path, &name).await.unwrap_err(),
            bucket.open(&name).await.unwrap_err(),
            bucket.delete(&name).await.unwrap_err(),
            bucket.list().await.unwrap_err(),
        ] {
            assert!(matches!(why, MediaError::Unavailable(_)), "{why:?}");
            assert!(!why.to_string().contains("a-wrong-secret"), "{why}");
        }
    }
}

/// Passes requests on, one a connection, but those whose first line holds a word: their connections end.
async fn breaking_at(server: &str, word: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = server.trim_start_matches("http://").to_owned();
    let broken = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&broken);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, seen) = (server.clone(), Arc::clone(&seen));
            tokio::spawn(async move {
                if let Ok(false) = pass(client, &server, word).await {
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    (address, broken)
}

async fn pass(mut client: TcpStream, server: &str, word: &str) -> io::Result<bool> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let (first, rest) = head.split_once("\r\n").unwrap_or_default();
    if first.contains(word) {
        return Ok(false);
    }
    let mut server = TcpStream::connect(server).await?;
    server
        .write_all(format!("{first}\r\nConnection: close\r\n{rest}").as_bytes())
        .await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(true)
}

#[tokio::test]
async fn an_upload_that_breaks_in_the_middle_leaves_nothing_behind() {
    let server = S3Server::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spooled");
    std::fs::write(&path, vec![7; 20 * 1024 * 1024]).unwrap();
    let (address, broken) = breaking_at(server.url(), "partNumber=2").await;
    let why = bucket_at(&address, server.key())
        .keep(&path, &MediaName::draw())
        .await
        .unwrap_err();
    assert!(matches!(why, MediaError::Unavailable(_)), "{why:?}");
    assert!(broken.load(Ordering::Relaxed) > 1, "it was not even tried again");
    assert_eq!(server.look().unwrap(), Vec::<String>::new());
    // Without the fault it is kept.
    let name = MediaName::draw();
    bucket_at(server.url(), server.key())
        .keep(&path, &name)
        .await
        .unwrap();
    assert_eq!(
        server.look().unwrap(),
        [format!("file vault/media/{name} {}", 20 * 1024 * 1024)]
    );
}

#[tokio::test]
async fn a_client_that_goes_away_during_an_upload_leaves_no_half_of_it() {
    let server = S3Server::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spooled");
    std::fs::write(&path, vec![7; 20 * 1024 * 1024]).unwrap();
    let bucket = bucket_at(server.url(), server.key());
    let name = MediaName::draw();
    // Dropped when it has only begun.
    let mut keeping = bucket.keep(&path, &name);
    assert!(futures_util::poll!(&mut keeping).is_pending());
    drop(keeping);
    let arrived = async {
        while bucket.open(&name).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), arrived)
        .await
        .unwrap();
    let whole = format!("file vault/media/{name} {}", 20 * 1024 * 1024);
    assert_eq!(server.look().unwrap(), [whole]);
}

#[tokio::test]
async fn a_server_is_believed_by_its_certificate_and_name_alone() {
    let server = S3Server::start().unwrap();
    let (authority, stranger) = (
        testkit::Authority::new().unwrap(),
        testkit::Authority::new().unwrap(),
    );
    let (config, _) = authority.issue(&["localhost"]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = server.url().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(behind).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let key = S3Credentials::new(server.key().0, SecretKey::new(server.key().1));
    let bucket = |host: &str, trusted: &testkit::Authority| {
        let file = folder.path().join("authority.pem");
        std::fs::write(&file, trusted.pem()).unwrap();
        let options = S3Options::new("us-east-1")
            .endpoint(format!("https://{host}:{port}"))
            .root_certificates(&file);
        options.open(S3Server::BUCKET, &key).unwrap()
    };
    bucket("localhost", &authority).check().await.unwrap();
    for (host, trusted) in [("localhost", &stranger), ("127.0.0.1", &authority)] {
        let why = bucket(host, trusted).check().await.unwrap_err().to_string();
        assert!(why.contains("certificate"), "{why}");
    }
}
