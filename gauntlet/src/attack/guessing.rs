//! `credential-guessing`: passwords are tried, in a row and all at once, and accounts are told apart.
