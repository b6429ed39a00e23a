//! Each attack of `attack::guessing` succeeds against the weak twin and fails against the vault.
