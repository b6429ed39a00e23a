//! The program as a host sees it: a child process, lines in and lines out.

mod conversation;
mod examples;
mod framing;
