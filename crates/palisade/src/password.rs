//! Password hashing, policy and the bounded pool that runs it.
