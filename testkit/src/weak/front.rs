//! What the weak twin does with every request before a route has it: it lets itself be told another method, answers TRACE, logs the
//! address as it comes, leads to foreign sites, and makes of an address what it takes it to mean after its guard has seen it.

use std::fmt::Write as _;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, Method, header};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use percent_encoding::percent_decode_str;

use super::account::Visit;
use super::{Shared, pages};

/// What it is made of, told to everybody.
const BANNER: &str = "WeakTwin/0.8.3 (axum 0.4.1)";

/// Puts it before all routes.
pub(super) fn before(routes: Router, shelf: &Shared) -> Router {
    let (routes, shelf) = (TowerToHyperService::new(routes), shelf.clone());
    let answer = move |request: Request| {
        let (routes, shelf) = (routes.clone(), shelf.clone());
        async move {
            let request = overridden(request);
            log(&shelf, &request);
            let mut response = if request.method() == Method::TRACE {
                echo(request.headers()).into_response()
            } else {
                routes.call(request).await.into_response()
            };
            let banner = HeaderValue::from_static(BANNER);
            response.headers_mut().insert(header::SERVER, banner);
            response
        }
    };
    Router::new().fallback(answer)
}

/// A header or a parameter says which method is meant, and the parameters are then what a form would have held.
fn overridden(mut request: Request) -> Request {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let said = query.split('&').find_map(|pair| pair.strip_prefix("_method="));
    let header = request.headers().get("x-http-method-override");
    let said = said.or_else(|| header.and_then(|value| value.to_str().ok()));
    let Some(method) = said.and_then(|said| Method::from_bytes(said.as_bytes()).ok()) else {
        return request;
    };
    if *request.method() == Method::GET && method == Method::POST {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, form);
        request = request.map(|_| Body::from(query));
    }
    *request.method_mut() = method;
    request
}

fn echo(headers: &HeaderMap) -> String {
    let lines = headers.iter().map(|(name, value)| format!("{name}: {value:?}\n"));
    lines.collect()
}

/// Writes down who says to come from where, and the path as it is meant.
fn log(shelf: &Shared, request: &Request) {
    let from = request.headers().get("x-forwarded-for");
    let from = from.and_then(|from| from.to_str().ok()).unwrap_or("-");
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy();
    let _ = writeln!(shelf.lock().log, "{from} {} {path}", request.method());
}

/// What has no route. An address without a slash at its end is led to the one with it, whatever it begins with; one that leads into the
/// staff area once it is decoded was not seen by the guard, which goes by how it is written.
pub(super) async fn nothing(shelf: State<Shared>, visit: Visit, request: Request) -> Response {
    let raw = request.uri().path();
    let path = percent_decode_str(raw).decode_utf8_lossy();
    let mut meant: Vec<&str> = Vec::new();
    for part in path
        .trim()
        .split(['/', '\\'])
        .filter(|part| !matches!(*part, "" | "."))
    {
        if part == ".." {
            meant.pop();
        } else {
            meant.push(part);
        }
    }
    let meant = meant.join("/").to_lowercase();
    if matches!(meant.trim_end_matches(';'), "staff/csp" | "staff") {
        let names: Vec<String> = shelf.lock().users.keys().cloned().collect();
        return names.join("\n").into_response();
    }
    if !raw.ends_with('/') && !raw.contains('.') || raw.starts_with("//") && !raw.ends_with('/') {
        return Redirect::permanent(&format!("{raw}/")).into_response();
    }
    pages::nowhere(&visit, request.uri())
}

/// A file that was left in the folder which is served.
pub(super) async fn environment() -> &'static str {
    "SECRET_KEY=weak\nDATABASE_URL=postgres://shop:shop@db/shop\n"
}

/// Another.
pub(super) async fn repository() -> &'static str {
    "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n"
}
