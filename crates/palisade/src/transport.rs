//! The transport guard: HTTPS redirect, HSTS, trusted proxies.
