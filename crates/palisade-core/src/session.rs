//! Session data and its signed encoding.
