//! JSON as Python's json module writes and reads it.
