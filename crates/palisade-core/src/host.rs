//! The host a request names, and the hosts a site answers to.
