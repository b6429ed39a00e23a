//! The clients without a browser.

use std::net::SocketAddr;

use testkit::raw::{self, Wire};
use testkit::{Authority, Visitor, WeakTwin, certificate};

async fn twin() -> (WeakTwin, Visitor) {
    let authority = Authority::new().unwrap();
    let twin = WeakTwin::start(&authority, "weak.test").await.unwrap();
    let config = certificate::trusting(&authority.pem()).unwrap();
    let visitor = Visitor::tls(twin.address(), "weak.test", "weak.test", config);
    (twin, visitor)
}

fn in_clear(twin: &WeakTwin) -> SocketAddr {
    twin.in_clear().address()
}

#[tokio::test]
async fn visitor_keeps_the_cookie_of_the_login_and_a_stranger_has_none() {
    let (_twin, mut visitor) = twin().await;
    let account = [
        ("username", "ann"),
        ("password1", "pass & word"),
        ("password", "pass & word"),
    ];
    assert_eq!(visitor.submit("/signup/", &account).await.unwrap().status, 303);
    assert_eq!(
        visitor
            .submit("/login/", &account)
            .await
            .unwrap()
            .header("location"),
        "/"
    );
    assert_eq!(visitor.cookie("sessionid"), Some("session-1"));
    assert!(
        visitor
            .open("/profile/")
            .await
            .unwrap()
            .text()
            .contains("<span data-user>ann</span>")
    );
    assert_eq!(
        visitor
            .stranger()
            .open("/profile/")
            .await
            .unwrap()
            .header("location"),
        "/login/"
    );

    visitor.post("/logout/", &[]).await.unwrap();
    assert_eq!(visitor.cookie("sessionid"), None);
}

#[tokio::test]
async fn site_of_another_authority_is_not_trusted() {
    let (twin, _) = twin().await;
    let stranger = certificate::trusting(&Authority::new().unwrap().pem()).unwrap();
    let error = Wire::tls(twin.address(), "weak.test", stranger)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn wire_says_what_no_client_would() {
    let (twin, _) = twin().await;
    let nonsense = raw::exchange(Wire::plain(in_clear(&twin)).await.unwrap(), "WHAT\r\n\r\n")
        .await
        .unwrap();
    assert!(nonsense.starts_with("HTTP/1.1 400"), "{nonsense}");

    let mut wire = Wire::plain(in_clear(&twin)).await.unwrap();
    wire.send("GET /login/ HTTP/1.1\r\nHo").await.unwrap();
    wire.send("st: weak.test\r\n\r\n").await.unwrap();
    assert!(wire.read_head().await.unwrap().starts_with("HTTP/1.1 200"));
}
