//! The server: TLS, limits, redirect, graceful stop.
