//! `credential-guessing`: the ways back into an account, reset, second factor and recovery codes, are abused.
