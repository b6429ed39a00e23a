//! Random tokens: the one place that asks the system for randomness.
