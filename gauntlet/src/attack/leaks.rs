//! `sensitive-data-exposure`, `session-hijacking`: what a thief finds in a stolen database, a log, a report or a cache.
