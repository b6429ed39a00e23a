//! Cross-site request forgery protection: Django's whole decision.
