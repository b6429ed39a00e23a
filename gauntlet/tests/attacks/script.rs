//! Each attack of `attack::script` succeeds against the weak twin and fails against the vault.
