//! Tests of the library from outside.

mod form_compile;
mod form_html;
mod form_model;
