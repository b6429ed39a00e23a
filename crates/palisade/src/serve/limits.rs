//! How much one client may take of the server: time, bytes, connections, streams.
//!
//! Every number has a safe default, since hyper's own limits are off until somebody sets a timer, and a server with no
//! limits is stopped by one laptop ([`Threat::ResourceExhaustion`](crate::core::threat::Threat)).

use std::time::Duration;

/// Sets what a client may take; the defaults suit a site of pages, forms and modest uploads.
///
/// | limit | default | why |
/// |---|---|---|
/// | handshake | 10 s | a TLS handshake is two round trips; a silent client gives its place back |
/// | header | 10 s | the whole request head, from its first byte (slowloris) |
/// | idle | 60 s | keep-alive and HTTP/2 connections without a request |
/// | request | 300 s | from the head until the handler's response begins |
/// | body rate | 500 B/s | on average, after 5 s: a modem passes, a slow POST does not |
/// | response stall | 30 s | a client that asks and does not read |
/// | connections | 8192 | each holds about 30 KiB when idle |
/// | connections per address | 256 | an IPv4 address or an IPv6 /64; offices and carriers share one |
/// | header bytes | 32 KiB | four times what gunicorn takes for one line |
/// | header count | 100 | a browser sends fewer than 30 |
/// | body bytes | 64 MiB | the outermost cap; forms have their own, far smaller |
/// | streams | 100 | RFC 9113 asks for no fewer |
/// | resets | 100, and 10 more each second | CVE-2023-44487 (rapid reset) |
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use palisade::serve::Limits;
///
/// let limits = Limits::default().with_body_bytes(8 * 1024 * 1024).with_idle(Duration::from_secs(15));
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    pub(super) handshake: Duration,
    pub(super) header: Duration,
    pub(super) idle: Duration,
    pub(super) request: Duration,
    pub(super) body_grace: Duration,
    pub(super) body_rate: u32,
    pub(super) stall: Duration,
    pub(super) drain: Duration,
    pub(super) connections: usize,
    pub(super) per_address: u32,
    pub(super) header_bytes: u32,
    pub(super) header_count: usize,
    pub(super) body_bytes: u64,
    pub(super) streams: u32,
    pub(super) resets: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            request: Duration::from_mins(5),
            body_grace: Duration::from_secs(5),
            body_rate: 500,
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(20),
            connections: 8192,
            per_address: 256,
            header_bytes: 32 * 1024,
            header_count: 100,
            body_bytes: 64 * 1024 * 1024,
            streams: 100,
            resets: 100,
        }
    }
}

impl Limits {
    /// Sets the time in which a TLS handshake must be complete.
    #[must_use]
    pub fn with_handshake(mut self, time: Duration) -> Self {
        self.handshake = time;
        self
    }

    /// Sets the time from the first byte of a request head (or from the handshake, for the first one) to its last.
    #[must_use]
    pub fn with_header(mut self, time: Duration) -> Self {
        self.header = time;
        self
    }

    /// Sets how long a connection may stay open without a request.
    #[must_use]
    pub fn with_idle(mut self, time: Duration) -> Self {
        self.idle = time;
        self
    }

    /// Sets the time from a request's head to the start of its response, the upload included; then a 503 is sent and
    /// the handler is dropped.
    #[must_use]
    pub fn with_request(mut self, time: Duration) -> Self {
        self.request = time;
        self
    }

    /// Sets the bytes per second that an upload must keep up on average, and the time it has before that counts.
    /// Bytes sent ahead earn at most six graces, so a fast start does not buy a long silence.
    #[must_use]
    pub fn with_body_rate(mut self, bytes_per_second: u32, grace: Duration) -> Self {
        self.body_rate = bytes_per_second.max(1);
        self.body_grace = grace;
        self
    }

    /// Sets how long a client may leave a response unread. What it does read earns time at the body rate.
    #[must_use]
    pub fn with_stall(mut self, time: Duration) -> Self {
        self.stall = time;
        self
    }

    /// Sets how long requests in flight may take to finish once the server was told to stop.
    #[must_use]
    pub fn with_drain(mut self, time: Duration) -> Self {
        self.drain = time;
        self
    }

    /// Sets how many connections are open at once; further ones wait in the kernel's queue.
    #[must_use]
    pub fn with_connections(mut self, count: usize) -> Self {
        self.connections = count.max(1);
        self
    }

    /// Sets how many connections one IPv4 address or one IPv6 /64 may hold; further ones are closed at once. Not
    /// applied behind a proxy, where every connection comes from the same address.
    #[must_use]
    pub fn with_connections_per_address(mut self, count: u32) -> Self {
        self.per_address = count.max(1);
        self
    }

    /// Sets the size of a request head in bytes (HTTP/1), or of the header list (HTTP/2).
    #[must_use]
    pub fn with_header_bytes(mut self, bytes: u32) -> Self {
        self.header_bytes = bytes.max(1024);
        self
    }

    /// Sets the number of header fields in a request.
    #[must_use]
    pub fn with_header_count(mut self, count: usize) -> Self {
        self.header_count = count.max(1);
        self
    }

    /// Sets the size of a request body in bytes: declared larger it is a 413, found larger the upload fails.
    #[must_use]
    pub fn with_body_bytes(mut self, bytes: u64) -> Self {
        self.body_bytes = bytes;
        self
    }

    /// Sets the number of requests that one HTTP/2 connection may have open at once.
    #[must_use]
    pub fn with_streams(mut self, count: u32) -> Self {
        self.streams = count.max(1);
        self
    }

    /// Sets how many requests a client may open and take back on one HTTP/2 connection before it is closed; a tenth of
    /// it is given back each second.
    #[must_use]
    pub fn with_resets(mut self, count: u32) -> Self {
        self.resets = count.max(1);
        self
    }
}
