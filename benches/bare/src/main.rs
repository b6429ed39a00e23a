//! Serves one sentence with axum and nothing else: the floor that every stack is compared with.
//!
//! Called as `bench-bare DATA-FOLDER PORT`, as all servers of the benchmark are; it keeps no data.

use axum::{Router, routing::get};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args()
        .nth(2)
        .ok_or("usage: bench-bare DATA-FOLDER PORT")?
        .parse()?;
    let app = Router::new().route("/hello", get(|| async { "hello, world" }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, app).await?;
    Ok(())
}
