//! The library as its users meet it: through its public interface, over real sockets and files.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod serve_http;
mod serve_lifecycle;
mod serve_limits;
mod serve_site;
mod serve_tls;
