//! URLs as Python's urlsplit reads them.
