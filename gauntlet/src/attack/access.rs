//! `broken-access-control`: what is somebody else's is asked for, changed and listed.
