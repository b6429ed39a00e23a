"""Single parts of Django, each called by itself, for the harness to time beside the same part of Palisade.

It answers the questions on standard input that `benches/parts` describes. What is timed is what a Django site runs: `hashlib`
and argon2-cffi under Django's hashers, the session engine's `encode` and `decode`, the CSRF middleware's functions.
"""

import json
import os
import sys
import time

import django
from django.conf import settings

settings.configure(
    SECRET_KEY=os.environ["BENCH_SECRET_KEY"],
    SESSION_SERIALIZER="django.contrib.sessions.serializers.JSONSerializer",
)
django.setup()

from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.middleware.csrf import (  # noqa: E402
    _check_token_format,
    _does_token_match,
    _mask_cipher_secret,
    InvalidTokenFormat,
)

PASSWORD, SALT = os.environ["BENCH_PASSWORD"], os.environ["BENCH_SALT"]
ITERATIONS = int(os.environ["BENCH_PBKDF2_ITERATIONS"])
SESSION = json.loads(os.environ["BENCH_SESSION"])
SECRET = os.environ["BENCH_CSRF_SECRET"]

store = SessionStore()
pbkdf2, argon2 = PBKDF2PasswordHasher(), Argon2PasswordHasher()
GIVEN = {"decode": store.encode(SESSION), "match": _mask_cipher_secret(SECRET)}


def hash_pbkdf2():
    return pbkdf2.encode(PASSWORD, SALT, ITERATIONS)


def hash_argon2():
    return argon2.encode(PASSWORD, SALT)


def encode():
    return store.encode(SESSION)


def decode():
    session = store.decode(GIVEN["decode"])
    return session["_auth_user_id"], session["_auth_user_backend"], session["_auth_user_hash"]


def mask():
    return _mask_cipher_secret(SECRET)


def compare():
    # The middleware checks the form of what it was sent before it compares.
    token = GIVEN["match"]
    _check_token_format(token)
    if not _does_token_match(token, SECRET):
        raise AssertionError("the token does not match")


def matches(token):
    try:
        _check_token_format(token)
    except InvalidTokenFormat:
        return False
    return _does_token_match(token, SECRET)


MAKE = {
    "pbkdf2": hash_pbkdf2,
    "argon2": hash_argon2,
    "encode": encode,
    "decode": encode,
    "mask": mask,
    "match": mask,
}
CHECK = {
    "pbkdf2": lambda text: hash_pbkdf2() == text,
    "argon2": lambda text: hash_argon2() == text,
    # What is no session of ours decodes to an empty one.
    "encode": lambda text: store.decode(text) == SESSION,
    "decode": lambda text: store.decode(text) == SESSION,
    "mask": matches,
    "match": matches,
}
TIME = {
    "pbkdf2": hash_pbkdf2,
    "argon2": hash_argon2,
    "encode": encode,
    "decode": decode,
    "mask": mask,
    "match": compare,
}


def measure(part, times):
    work = TIME[part]
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    for _ in range(times):
        work()
    return f"{time.perf_counter_ns() - wall} {time.process_time_ns() - cpu}"


for line in sys.stdin:
    match line.split():
        case ["make", part]:
            answer = MAKE[part]()
        case ["check", part, text]:
            answer = "yes" if CHECK[part](text) else "no"
        case ["give", part, text]:
            GIVEN[part] = text
            answer = "given"
        case ["time", part, times]:
            answer = measure(part, int(times))
        case _:
            sys.exit(f"not a question: {line}")
    print(answer, flush=True)
