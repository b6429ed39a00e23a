//! Buckets, networks and devices.
