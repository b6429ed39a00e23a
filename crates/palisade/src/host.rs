//! The host guard: requests for hosts that are not ours are refused.
