//! The library as its users meet it: through its public interface, over real sockets and files.

mod serve_http;
mod serve_lifecycle;
mod serve_limits;
mod serve_site;
mod serve_tls;
