//! The library seen from outside: whole requests through the whole stack.

mod client;
mod defects;
mod flaky;
mod form_compile;
mod form_html;
mod form_model;
