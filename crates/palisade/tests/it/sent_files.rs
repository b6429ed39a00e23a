//! Stored files over a real socket in the clear, where the kernel sends them: every byte at its place, whatever the client does.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::routing::get;
use palisade::core::host::AllowedHosts;
use palisade::media::{Delivery, FileDigest, Media, MediaName, MediaType, StoredFile};
use palisade::serve::{self, Listen};
use palisade::{Palisade, Router, SecretKey, Settings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use crate::serve_site::within;

/// More than a socket holds, and no multiple of anything.
const SIZE: usize = 9 * 1024 * 1024 + 317;

/// Bytes that tell their places apart, and none of which is a zero.
fn content(seed: usize) -> Vec<u8> {
    (0..SIZE)
        .map(|place| u8::try_from((place * 31 + place / 251 + seed) % 255 + 1).unwrap())
        .collect()
}

struct Site {
    address: SocketAddr,
    files: Vec<StoredFile>,
    folder: TempDir,
    server: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Site {
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let media = Media::on_disk(folder.path().join("media")).unwrap();
        let mut files = Vec::new();
        let mut routes = Router::new().route("/hello", get(async || "hello"));
        for (seed, path) in [(1, "/one"), (2, "/two")] {
            let (spooled, name) = (folder.path().join("spooled"), MediaName::draw());
            std::fs::write(&spooled, content(seed)).unwrap();
            media.store().keep(&spooled, &name).await.unwrap();
            let file = StoredFile {
                name,
                file_name: "a.txt".to_owned(),
                media_type: MediaType::Text,
                size: SIZE as u64,
                digest: FileDigest([7; 32]),
            };
            files.push(file.clone());
            routes = routes.route(
                path,
                get(async move |delivery: Delivery| delivery.attachment(&file).await),
            );
        }
        let mut settings = Settings::for_tests(SecretKey::new(crate::client::KEY));
        settings.secure_ssl_redirect = false;
        settings.allowed_hosts = AllowedHosts::parse(["127.0.0.1"]);
        let app = Palisade::new(settings)
            .with_media(media)
            .protect(routes.public())
            .unwrap();
        let bound = serve::serve(app, Listen::plain_behind_proxy("127.0.0.1:0"))
            .bind()
            .await
            .unwrap();
        let address = bound.addresses()[0];
        let server = tokio::spawn(bound.into_future());
        Self {
            address,
            files,
            folder,
            server,
        }
    }

    async fn connected(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn path(&self, file: usize) -> PathBuf {
        let name = self.files[file].name.to_string();
        self.folder.path().join("media/files").join(&name[..2]).join(name)
    }
}

fn request(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n")
}

/// Reads a head, and says its status and how long the body is.
async fn head(stream: &mut TcpStream) -> (u16, usize) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap();
    (head[9..12].parse().unwrap(), length.parse().unwrap())
}

async fn answer(stream: &mut TcpStream) -> (u16, Vec<u8>) {
    let (status, length) = head(stream).await;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (status, body)
}

#[tokio::test]
async fn file_its_parts_and_what_comes_after_them_arrive_on_one_connection() {
    let site = Site::begin().await;
    let mut stream = site.connected().await;
    let (one, two) = (content(1), content(2));
    // All at once, so that nothing may be taken for what belongs to another answer.
    let asked = [
        request("GET", "/one", ""),
        request("HEAD", "/two", ""),
        request("GET", "/two", "Range: bytes=70000-8000000\r\n"),
        request("GET", "/hello", ""),
        request("GET", "/one", "Range: bytes=-1\r\n"),
        request("GET", "/two", "If-None-Match: \"other\"\r\n"),
    ];
    stream.write_all(asked.concat().as_bytes()).await.unwrap();
    within(async {
        let (status, body) = answer(&mut stream).await;
        assert!(status == 200 && body == one);
        assert_eq!(head(&mut stream).await, (200, SIZE));
        let (status, body) = answer(&mut stream).await;
        assert!(status == 206 && body == two[70_000..=8_000_000]);
        assert_eq!(answer(&mut stream).await, (200, b"hello".to_vec()));
        assert_eq!(answer(&mut stream).await, (206, one[SIZE - 1..].to_vec()));
        let (status, body) = answer(&mut stream).await;
        assert!(status == 200 && body == two);
    })
    .await;
}

#[tokio::test]
async fn clients_that_read_slowly_side_by_side_get_each_their_own() {
    let site = Site::begin().await;
    let clients = [("/one", 1), ("/two", 2), ("/one", 1)].map(|(path, seed)| {
        let address = site.address;
        tokio::spawn(async move {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4096).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            stream
                .write_all(request("GET", path, "").as_bytes())
                .await
                .unwrap();
            let (_, length) = head(&mut stream).await;
            let (mut body, mut room) = (Vec::new(), vec![0; 3001]);
            while body.len() < length {
                let read = stream.read(&mut room).await.unwrap();
                assert_ne!(read, 0, "the connection ended early");
                body.extend_from_slice(&room[..read]);
                tokio::task::yield_now().await;
            }
            assert!(body == content(seed));
        })
    });
    for client in clients {
        within(client).await.unwrap();
    }
}

#[tokio::test]
async fn client_that_leaves_in_the_middle_takes_nothing_from_the_next() {
    let site = Site::begin().await;
    for _ in 0..3 {
        let mut stream = site.connected().await;
        stream
            .write_all(request("GET", "/one", "").as_bytes())
            .await
            .unwrap();
        head(&mut stream).await;
        drop(stream);
        let mut stream = site.connected().await;
        stream
            .write_all(request("GET", "/two", "").as_bytes())
            .await
            .unwrap();
        let (status, body) = within(answer(&mut stream)).await;
        assert!(status == 200 && body == content(2));
    }
}

#[tokio::test]
async fn file_that_became_shorter_ends_the_connection_and_nothing_is_made_up() {
    let site = Site::begin().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(site.address).await.unwrap();
    stream
        .write_all(request("GET", "/one", "").as_bytes())
        .await
        .unwrap();
    head(&mut stream).await;
    let file = std::fs::File::options().write(true).open(site.path(0)).unwrap();
    file.set_len(1000).unwrap();
    let mut body = Vec::new();
    let _closed = within(stream.read_to_end(&mut body)).await;
    assert!(body.len() < SIZE, "the whole length was sent");
    // What was on its way when it was cut off may be zeros by now; nobody else's bytes stand there.
    let content = content(1);
    let strange = body
        .iter()
        .zip(&content)
        .position(|(got, is)| got != is && *got != 0);
    assert_eq!(strange, None);
}
