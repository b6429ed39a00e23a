"""`django.core.signing`: signers, signed objects and signed cookies."""

import datetime

from django.conf import settings
from django.core import signing
from django.http.response import HttpResponseBase

from .place import answers, ask, only_as_django_wrote_it
from .program import NotRepresentable, text, wire

Signer, TimestampSigner = signing.Signer, signing.TimestampSigner
BACKEND = "django.core.signing.TimestampSigner"
PARTS = ("signature", "sign", "unsign", "timestamp", "sign_object", "unsign_object")


def signer(self, key=None):
    base = TimestampSigner if isinstance(self, TimestampSigner) else Signer
    only_as_django_wrote_it(self, base, *PARTS)
    if not isinstance(self.key, (str, bytes)):
        raise NotRepresentable("key")
    return {
        "key": key or self.key,
        "salt": text(self.salt),
        "sep": text(self.sep),
        "algorithm": text(self.algorithm),
        "timestamp": isinstance(self, TimestampSigner),
    }


def fallbacks(self):
    # May be an iterator that is good for one pass only.
    self.fallback_keys = list(self.fallback_keys)
    return self.fallback_keys


def seconds(max_age):
    return max_age.total_seconds() if isinstance(max_age, datetime.timedelta) else max_age


@answers("django.core.signing:Signer.__init__")
def init(self, *, key=None, sep=":", salt=None, algorithm=None, fallback_keys=None):
    self.key = key or settings.SECRET_KEY
    self.fallback_keys = settings.SECRET_KEY_FALLBACKS if fallback_keys is None else fallback_keys
    self.sep = sep
    self.salt = salt or f"{type(self).__module__}.{type(self).__name__}"
    self.algorithm = algorithm or "sha256"
    ask("signing.check_separator", {"sep": text(sep)})


@answers("django.core.signing:Signer.signature")
def signature(self, value, key=None):
    args = {**signer(self, key), "value": value if isinstance(value, bytes) else str(value)}
    return ask("signing.signature", args)


def sign(self, value):
    return ask("signing.sign", {**signer(self), "value": str(value)})


def unsign(self, signed_value, max_age=None):
    args = {
        **signer(self),
        "value": text(signed_value),
        "fallback_keys": fallbacks(self),
        "max_age": seconds(max_age),
    }
    return ask("signing.unsign", args)


for name in ("Signer", "TimestampSigner"):
    answers(f"django.core.signing:{name}.sign")(sign)
    answers(f"django.core.signing:{name}.unsign")(unsign)


@answers("django.core.signing:Signer.sign_object")
def sign_object(self, obj, serializer=signing.JSONSerializer, compress=False):
    args = {**signer(self), "compress": bool(compress)}
    if serializer is signing.JSONSerializer:
        try:
            args["obj"] = wire(obj)
            if not plain(obj):
                raise NotRepresentable("obj")
        except NotRepresentable:
            del args["obj"]
    if "obj" not in args:
        args["payload"] = serializer().dumps(obj)
    return ask("signing.dumps", args)


def plain(obj):
    """Whether the JSON of the question is the JSON that is to be signed."""
    if isinstance(obj, dict):
        return all(isinstance(key, str) and plain(value) for key, value in obj.items())
    if isinstance(obj, (list, tuple)):
        return all(plain(item) for item in obj)
    return obj is None or isinstance(obj, (str, bool, int, float))


@answers("django.core.signing:Signer.unsign_object")
def unsign_object(self, signed_obj, serializer=signing.JSONSerializer, **kwargs):
    raw = serializer is not signing.JSONSerializer
    args = {
        **signer(self),
        "value": text(signed_obj),
        "fallback_keys": fallbacks(self),
        "max_age": seconds(kwargs.get("max_age")),
        "raw": raw,
    }
    found = ask("signing.loads", args)
    return serializer().loads(found["payload"]) if raw else found["obj"]


@answers("django.core.signing:base64_hmac")
def base64_hmac(salt, value, key, algorithm="sha1"):
    args = {"salt": salt, "value": value, "key": key, "algorithm": algorithm}
    return ask("signing.base64_hmac", args)


@answers("django.core.signing:b62_encode")
def b62_encode(s):
    return ask("signing.b62_encode", {"n": s})


@answers("django.core.signing:b62_decode")
def b62_decode(s):
    return ask("signing.b62_decode", {"s": text(s)})


def with_own_backend():
    if settings.SIGNING_BACKEND != BACKEND:
        raise NotRepresentable("another signing backend")


@answers("django.core.signing:_unsign_cookie")
def unsign_cookie(signed_value, *, cookie_name, salt="", max_age=None):
    with_own_backend()
    args = {"name": cookie_name, "salt": salt, "value": text(signed_value), "max_age": seconds(max_age)}
    return ask("signing.cookie_unsign", args)


@answers("django.http.response:HttpResponseBase.set_signed_cookie")
def set_signed_cookie(self, key, value, salt="", **kwargs):
    with_own_backend()
    signed = ask("signing.cookie_sign", {"name": key, "salt": salt, "value": str(value)})
    return HttpResponseBase.set_cookie(self, key, signed, **kwargs)

