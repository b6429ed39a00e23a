//! `cross-site-scripting`, `sql-injection`: what a person writes becomes script or query text.
