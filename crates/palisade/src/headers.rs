//! Security headers and frame policy on every response.
