//! Files that nginx sends once the site has let somebody in (`X-Accel-Redirect`), with a real nginx in front.

use std::path::Path;

use http::{Method, StatusCode};
use palisade::media::{Delivery, Media, StoredFile};
use palisade::serve::{self, Listen};
use palisade::{Palisade, Policies as _, Router, Settings};
use testkit::{Nginx, Visitor};

use crate::delivery::keep;

/// The proxy's part, as the guide shows it.
fn locations(site: std::net::SocketAddr, media: &Path) -> String {
    format!(
        r#"
        location / {{
            proxy_pass http://{site};
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-Proto https;
        }}
        location /protected-media/ {{
            internal;
            alias {}/;
            add_header X-Content-Type-Options nosniff always;
            add_header Content-Security-Policy "default-src 'none'; sandbox" always;
        }}
        "#,
        media.display()
    )
}

fn behind_nginx() -> Settings {
    let toml = r#"
        allowed_hosts = ["example.com"]
        secure_proxy_ssl_header = ["X-Forwarded-Proto", "https"]
        trusted_proxies = ["127.0.0.0/8"]
    "#;
    let key = ("PALISADE_SECRET_KEY".to_owned(), crate::client::KEY.to_owned());
    Settings::load(Some(toml), [key]).unwrap()
}

/// nginx in front of a site that sends one file to everybody at `/file`.
async fn site(folder: &Path, content: &str) -> (Visitor, Nginx, StoredFile) {
    let root = folder.join("media");
    let media = Media::on_disk(&root)
        .unwrap()
        .with_x_accel_redirect("/protected-media/")
        .unwrap();
    let file = keep(&media, folder, content).await;
    let sent = file.clone();
    let routes = Router::new().route(
        "/file",
        axum::routing::get(async move |delivery: Delivery| delivery.attachment(&sent).await),
    );
    let app = Palisade::new(behind_nginx())
        .with_media(media)
        .protect(routes.public())
        .unwrap();
    let bound = serve::serve(app, Listen::plain_behind_proxy("127.0.0.1:0"))
        .bind()
        .await
        .unwrap();
    let nginx = Nginx::start(&locations(bound.addresses()[0], &root.join("files"))).unwrap();
    tokio::spawn(bound.into_future());
    (Visitor::plain(nginx.address(), "example.com"), nginx, file)
}

#[tokio::test]
async fn nginx_sends_the_file_that_the_site_names_and_answers_ranges() {
    let folder = tempfile::tempdir().unwrap();
    let (mut visitor, nginx, _) = site(folder.path(), "0123456789").await;
    let reply = visitor.open("/file").await.unwrap();
    assert_eq!(reply.status, StatusCode::OK, "{}", nginx.log());
    assert_eq!(reply.text(), "0123456789");
    let header = |name: &str| {
        reply
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(
        header("content-disposition").as_deref(),
        Some("attachment; filename=\"a file.txt\"")
    );
    assert_eq!(
        header("content-type").as_deref(),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
    assert_eq!(
        header("x-accel-redirect"),
        None,
        "the place of the file is nobody's business"
    );
    let request = visitor.request(Method::GET, "/file").header("Range", "bytes=3-5");
    let part = visitor.send(request, bytes::Bytes::new()).await.unwrap();
    assert_eq!(
        (part.status, part.text().as_str()),
        (StatusCode::PARTIAL_CONTENT, "345")
    );
}

#[tokio::test]
async fn nobody_reaches_the_place_of_files_by_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let (mut visitor, _nginx, file) = site(folder.path(), "0123456789").await;
    let name = file.name.to_string();
    for path in [
        format!("/protected-media/{}/{name}", &name[..2]),
        format!("/protected-media/../protected-media/{}/{name}", &name[..2]),
        format!("/protected-media%2f{}%2f{name}", &name[..2]),
    ] {
        let reply = visitor.open(&path).await.unwrap();
        assert!(!reply.text().contains("0123"), "{path}: {}", reply.status);
        assert!(!reply.status.is_success(), "{path}");
    }
}
