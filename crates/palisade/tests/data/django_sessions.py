"""Django's side of shared sessions: python django_sessions.py REDIS_URL ENGINE DATABASE FOLDER, commands on standard input.

Each command is a line of JSON: {"do": "begin", "data": {...}}, {"do": "read", "key": ...}, {"do": "set", "key": ..., "data":
{...}}, {"do": "end", "key": ...}. `plain` is the data with its Python types shown, so that 1 and True are not the same.
"""

import datetime
import importlib
import json
import sys

import django
from django.conf import settings

url, engine, database, files = sys.argv[1:5]
settings.configure(
    SECRET_KEY="a key that both sides know, of fifty characters or more",
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.sessions"],
    SESSION_ENGINE="django.contrib.sessions.backends." + engine,
    SESSION_FILE_PATH=files or None,
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url,
            "KEY_PREFIX": "shop",
            "VERSION": 3,
        }
    },
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database or ":memory:"}},
)
django.setup()
Store = importlib.import_module(settings.SESSION_ENGINE).SessionStore


def made(data):
    """What JSON has no form for is asked for by name."""
    if data == {"python": "datetime"}:
        return datetime.datetime(2026, 1, 2)
    if data == {"python": "big"}:
        return -(2**200)
    if data == {"python": "half"}:
        return "\ud800"
    if isinstance(data, dict):
        return {key: made(value) for key, value in data.items()}
    return [made(value) for value in data] if isinstance(data, list) else data


for line in sys.stdin:
    command = json.loads(line)
    session = Store(command.get("key"))
    if command["do"] == "begin":
        session.update(made(command["data"]))
        session.save()
        answer = {"key": session.session_key}
    elif command["do"] == "set":
        session.update(made(command["data"]))
        session.save()
        answer = {}
    elif command["do"] == "end":
        session.flush()
        answer = {}
    else:
        data = dict(session.items())
        answer = {"plain": repr(data), "there": session.session_key is not None, "age": session.get_expiry_age()}
    print(json.dumps(answer), flush=True)
