//! SQLite in process: readers on each thread, one writer with group commit.
