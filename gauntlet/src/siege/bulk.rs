//! Requests that are too much: too many fields, too long texts, little that unpacks to a lot.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::{Method, header};
use testkit::raw;
use testkit::visitor::{self, Reply};

use super::{Ground, Stand, attacker};

const FORM: &str = "application/x-www-form-urlencoded";

/// How often a request is sent in one round.
const TIMES: usize = 10;

/// Work that grows faster than what was sent shows as an answer that takes longer than this, on any machine.
const LONG: Duration = Duration::from_secs(5);

pub(super) async fn header_fields(ground: &Ground) -> Result<Stand> {
    let mut fields = String::new();
    for number in 0..5_000 {
        write!(fields, "X-{number}: a\r\n")?;
    }
    heads(ground, &fields).await
}

/// As in CVE-2025-14550, where equal fields were joined again and again.
pub(super) async fn repeated_header(ground: &Ground) -> Result<Stand> {
    heads(ground, &"X-A: a\r\n".repeat(5_000)).await
}

async fn heads(ground: &Ground, fields: &str) -> Result<Stand> {
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n{fields}\r\n", ground.target.host());
    let mut stand = Stand {
        made: 0,
        ended: 0,
        how: String::new(),
    };
    for number in 0..2 * TIMES {
        let said = raw::exchange(ground.wire(attacker(number % 4)).await?, &request).await;
        stand.made += 1;
        // A server that closes with unread bytes resets, and the answer may be lost with that.
        let status = said.ok().and_then(|said| said.lines().next().map(str::to_owned));
        let status = status.unwrap_or_else(|| "cut".to_owned());
        stand.ended += usize::from(!status.contains(" 200"));
        stand.how = status;
    }
    Ok(stand)
}

pub(super) async fn fields(ground: &Ground) -> Result<Stand> {
    let body: String = (0..1_001).fold(String::new(), |body, number| format!("{body}f{number}=a&"));
    posts(ground, "/login/", FORM, body.into_bytes(), &[], true).await
}

pub(super) async fn files(ground: &Ground) -> Result<Stand> {
    let boundary = visitor::BOUNDARY;
    let mut body = String::new();
    for number in 0..101 {
        write!(
            body,
            "--{boundary}\r\nContent-Disposition: form-data; name=\"f{number}\"; filename=\"a.txt\"\r\n\
             Content-Type: text/plain\r\n\r\na\r\n"
        )?;
    }
    write!(body, "--{boundary}--\r\n")?;
    let kind = format!("multipart/form-data; boundary={boundary}");
    posts(ground, "/login/", &kind, body.into_bytes(), &[], true).await
}

/// Names that all have the same value under the hash of thirty-threes, as many as a form may have.
pub(super) async fn colliding_keys(ground: &Ground) -> Result<Stand> {
    let mut body = String::new();
    for number in 0..990_u32 {
        (0..10).for_each(|bit| body.push_str(if number >> bit & 1 == 0 { "Ez" } else { "FY" }));
        body.push_str("=a&");
    }
    posts(ground, "/login/", FORM, body.into_bytes(), &[], false).await
}

/// An address for mail, and a list of languages, that patterns of Django's took long over.
pub(super) async fn patterns(ground: &Ground) -> Result<Stand> {
    let email = format!("a@{}!", "a.".repeat(50_000));
    let body = visitor::form(&[
        ("username", "mallory"),
        ("email", &email),
        ("password1", "x"),
        ("password2", "x"),
    ]);
    let languages = format!("{}!", "en-".repeat(8_000));
    posts(
        ground,
        "/signup/",
        FORM,
        body.into_bytes(),
        &[("Accept-Language", languages)],
        false,
    )
    .await
}

pub(super) async fn password(ground: &Ground) -> Result<Stand> {
    let body = visitor::form(&[("username", "victim"), ("password", &"a".repeat(1_000_000))]);
    posts(ground, "/login/", FORM, body.into_bytes(), &[], false).await
}

/// A session in a cookie, compressed as Django does it; nobody has signed it.
pub(super) async fn packed_cookie(ground: &Ground) -> Result<Stand> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    // What fits into one cookie after base64: two layers would be the attacker's next idea, and are not unpacked at all.
    packed.write_all(&vec![b' '; 16 * 1024 * 1024])?;
    let packed = URL_SAFE_NO_PAD.encode(packed.finish()?);
    let cookie = format!("sessionid=.{packed}:1rAAAA:{}", "a".repeat(43));
    ensure!(cookie.len() < 30_000, "the cookie has {} bytes", cookie.len());
    let fields = [("Cookie", cookie)];
    posts(
        ground,
        "/login/",
        FORM,
        b"username=victim".to_vec(),
        &fields,
        false,
    )
    .await
}

pub(super) async fn packed_body(ground: &Ground) -> Result<Stand> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let megabyte = vec![b'a'; 1024 * 1024];
    for _ in 0..256 {
        packed.write_all(&megabyte)?;
    }
    let fields = [("Content-Encoding", "gzip".to_owned())];
    posts(ground, "/login/", FORM, packed.finish()?, &fields, true).await
}

/// Posts as somebody with the form's token does; `refused` says whether more than an unsuccessful form is asked for.
async fn posts(
    ground: &Ground,
    path: &str,
    kind: &str,
    body: Vec<u8>,
    fields: &[(&str, String)],
    refused: bool,
) -> Result<Stand> {
    let mut visitor = ground.target.visitor()?;
    let token = visitor
        .open(path)
        .await?
        .field("csrfmiddlewaretoken")
        .unwrap_or_default();
    let body = Bytes::from(body);
    let mut stand = Stand {
        made: 0,
        ended: 0,
        how: String::new(),
    };
    for _ in 0..TIMES {
        let mut request = visitor
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, kind)
            .header(header::ORIGIN, visitor.origin())
            .header("X-CSRFToken", &token);
        for (name, value) in fields {
            request = request.header(*name, value);
        }
        let begun = Instant::now();
        let sent = visitor.clone().send(request, body.clone()).await;
        let took = begun.elapsed();
        ensure!(took < LONG, "{path} took {took:?}");
        stand.made += 1;
        let (ended, how) = match &sent {
            Ok(reply) => (ends(reply, refused), reply.status.to_string()),
            Err(error) => (true, format!("cut: {error:#}")),
        };
        stand.ended += usize::from(ended);
        stand.how = how;
    }
    Ok(stand)
}

fn ends(reply: &Reply, refused: bool) -> bool {
    let let_in = reply.status.is_redirection() || refused && reply.status.is_success();
    !let_in
}
