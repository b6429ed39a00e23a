"""`django.utils.crypto`."""

import hashlib

from django.conf import settings
from django.utils.encoding import force_bytes

from .place import answers, ask
from .program import NotRepresentable, text


class Digest:
    """What Django's callers use of an HMAC."""

    def __init__(self, digits):
        self.digits = digits

    def hexdigest(self):
        return self.digits

    def digest(self):
        return bytes.fromhex(self.digits)

    @property
    def digest_size(self):
        return len(self.digits) // 2


@answers("django.utils.crypto:salted_hmac")
def salted_hmac(key_salt, value, secret=None, *, algorithm="sha1"):
    if secret is None:
        secret = settings.SECRET_KEY
    args = {
        "key_salt": force_bytes(key_salt),
        "value": force_bytes(value),
        "secret": force_bytes(secret),
        "algorithm": text(algorithm),
    }
    return Digest(ask("crypto.salted_hmac", args))


@answers("django.utils.crypto:get_random_string")
def get_random_string(length, allowed_chars=None):
    from django.utils.crypto import RANDOM_STRING_CHARS

    chars = RANDOM_STRING_CHARS if allowed_chars is None else text(allowed_chars)
    return ask("crypto.random_string", {"length": length, "allowed_chars": chars})


@answers("django.utils.crypto:constant_time_compare")
def constant_time_compare(val1, val2):
    return ask("crypto.constant_time_compare", {"a": force_bytes(val1), "b": force_bytes(val2)})


@answers("django.utils.crypto:pbkdf2")
def pbkdf2(password, salt, iterations, dklen=0, digest=None):
    if not isinstance(iterations, int):
        raise NotRepresentable("iterations")
    args = {
        "password": force_bytes(password),
        "salt": force_bytes(salt),
        "iterations": iterations,
        "dklen": dklen or 0,
        "digest": (digest or hashlib.sha256)().name,
    }
    return ask("crypto.pbkdf2", args)
