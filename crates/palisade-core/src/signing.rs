//! Django's signing: Signer, TimestampSigner, dumps and loads, signed cookies.
