"""Sessions: `SessionBase`, its engines, and the middleware.

A session's data stay Python objects here, for views change lists and dictionaries inside them. What the program answers
is laid over them, member by member, so that an object that it did not change stays the same object.
"""

import datetime
import logging

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import base, cache, cached_db, db, file, signed_cookies
from django.core.signing import JSONSerializer

from . import cookies, headers
from .place import answers, as_exception, ask, overridden, write
from .program import PROGRAM, NotRepresentable, Refusal, wire
from .stores import host_of

ENGINES = [
    ("cached_db", cached_db.SessionStore),
    ("db", db.SessionStore),
    ("cache", cache.SessionStore),
    ("file", file.SessionStore),
    ("signed_cookies", signed_cookies.SessionStore),
    ("none", base.SessionBase),
]
BASE = "django.contrib.sessions.backends.base:SessionBase"
MISSING = object()


def engine_of(cls):
    return next(name for name, store in ENGINES if issubclass(cls, store))


def state_of(session):
    if session.serializer is not JSONSerializer:
        raise NotRepresentable("another serializer")
    data = getattr(session, "_session_cache", None)
    return {
        "engine": engine_of(type(session)),
        "key": session._session_key,
        "data": None if data is None else wire(data),
        "accessed": bool(session.accessed),
        "modified": bool(session.modified),
        "cookie_age": session.get_session_cookie_age(),
        "key_salt": session.key_salt,
    }


def keep(session, state):
    session._SessionBase__session_key = state["key"]
    session.accessed, session.modified = state["accessed"], state["modified"]
    data = state["data"]
    if data is None:
        session.__dict__.pop("_session_cache", None)
        return
    held = session.__dict__.get("_session_cache")
    if held is None or (held and not data):
        # `clear` makes a new dictionary, too: the old one may be somebody's.
        session._session_cache = data
        return
    for key in [key for key in held if key not in data]:
        del held[key]
    for key, value in data.items():
        if key not in held or wire(held[key]) != value:
            held[key] = value


def overrides_of(session):
    """The file engine remembers its folder and prefix from when it was made."""
    if not isinstance(session, file.SessionStore):
        return None
    return {"SESSION_FILE_PATH": str(session.storage_path), "SESSION_COOKIE_NAME": session.file_prefix}


def load_here(session):
    """Loads a session whose storage the program knows nothing of."""
    engine = next(store for _, store in ENGINES if isinstance(session, store))
    if session._session_key is not None and (engine is base.SessionBase or overridden(session, engine, "load")):
        session._get_session()


#: What can be done without the data.
WITHOUT_DATA = ("session.is_empty", "session.clear", "session.new_key", "session.exists", "session.delete")


def question(session, op, args):
    if op not in WITHOUT_DATA:
        load_here(session)
    state = state_of(session)
    if state["engine"] == "none" and op in ("session.new_key", "session.process_response"):
        raise NotRepresentable("a storage of another kind")
    try:
        answer, log = PROGRAM.ask(
            op, {"session": state, **args}, host=host_of(session), overrides=overrides_of(session)
        )
    except Refusal as refusal:
        if "session" in refusal.params:
            keep(session, refusal.params["session"])
        report(session, refusal.log)
        raise as_exception(refusal) from None
    report(session, log)
    keep(session, answer["session"])
    return answer


def report(session, log):
    write(log)
    for entry in log:
        if entry.get("cause") == "host":
            logger = logging.getLogger(entry["logger"])
            logger.error(f"{entry['message']} (%s)", session._cache, exc_info=session._fault)


def on(session, op, **args):
    return question(session, op, args)["result"]


def held(session, key, found):
    """The very object that the session holds, where the answer is equal to it."""
    return session._session_cache.get(key, found)


def operation(name, op=None):
    """Replaces a method of `SessionBase` and its asynchronous twin."""
    op = op or f"session.{name}"

    def decorate(method):
        replaced = answers(f"{BASE}.{name}")(method)
        twin = f"a{name.strip('_')}".replace("setitem", "set")
        if hasattr(base.SessionBase, twin):

            async def asynchronous(self, *args, **kwargs):
                return await sync_to_async(getattr(self, name))(*args, **kwargs)

            answers(f"{BASE}.{twin}")(asynchronous)
        return replaced

    return decorate


def text_key(key):
    if not isinstance(key, str):
        raise NotRepresentable("a key that is not text")
    return key


@operation("get")
def get(self, key, default=None):
    result = on(self, "session.get", key=text_key(key))
    return held(self, key, result["value"]) if result["found"] else default


@answers(f"{BASE}.__getitem__")
def getitem(self, key):
    result = on(self, "session.get", key=text_key(key))
    if not result["found"]:
        raise KeyError(key)
    return held(self, key, result["value"])


@operation("pop")
def pop(self, key, default=MISSING):
    before = getattr(self, "_session_cache", {}).get(key)
    result = on(self, "session.pop", key=text_key(key))
    if result["found"]:
        return result["value"] if before is None else before
    if default is MISSING:
        raise KeyError(key)
    return default


@operation("__setitem__", "session.set")
def setitem(self, key, value):
    on(self, "session.set", key=text_key(key), value=wire(value))
    if self._session_cache[key] == wire(value):
        self._session_cache[key] = value


@answers(f"{BASE}.__delitem__")
def delitem(self, key):
    on(self, "session.remove", key=text_key(key))


@answers(f"{BASE}.__contains__")
def contains(self, key):
    return on(self, "session.has_key", key=text_key(key))


@operation("has_key")
def has_key(self, key):
    return on(self, "session.has_key", key=text_key(key))


@operation("setdefault")
def setdefault(self, key, value):
    result = on(self, "session.setdefault", key=text_key(key), value=wire(value))
    return held(self, key, result)


@operation("update")
def update(self, dict_):
    items = dict(dict_)
    on(self, "session.update", items=wire(items))
    for key, value in items.items():
        if self._session_cache.get(key) == wire(value):
            self._session_cache[key] = value


def view(name):
    @operation(name)
    def items(self):
        on(self, "session.items")
        return getattr(self._session_cache, name)()


for name in ("keys", "values", "items"):
    view(name)


@answers(f"{BASE}.clear")
def clear(self):
    on(self, "session.clear")


@answers(f"{BASE}.is_empty")
def is_empty(self):
    return on(self, "session.is_empty")


@operation("set_test_cookie")
def set_test_cookie(self):
    on(self, "session.set_test_cookie")


@operation("test_cookie_worked")
def test_cookie_worked(self):
    return on(self, "session.test_cookie_worked")


@operation("delete_test_cookie")
def delete_test_cookie(self):
    on(self, "session.delete_test_cookie")


@operation("set_expiry")
def set_expiry(self, value):
    if isinstance(value, datetime.timedelta):
        value = {"timedelta": value.total_seconds()}
    elif isinstance(value, datetime.datetime):
        value = {"datetime": value.isoformat()}
    on(self, "session.set_expiry", value=value)


def moments(kwargs):
    return {
        name: value.isoformat() if isinstance(value, datetime.datetime) else value
        for name, value in kwargs.items()
    }


@operation("get_expiry_age")
def get_expiry_age(self, **kwargs):
    return on(self, "session.get_expiry_age", **moments(kwargs))


@operation("get_expiry_date")
def get_expiry_date(self, **kwargs):
    return datetime.datetime.fromisoformat(on(self, "session.get_expiry_date", **moments(kwargs)))


@operation("get_expire_at_browser_close")
def get_expire_at_browser_close(self):
    return on(self, "session.get_expire_at_browser_close")


@answers(f"{BASE}._get_new_session_key")
def new_key(self):
    return on(self, "session.new_key")


@answers(f"{BASE}.encode")
def encode(self, session_dict):
    if self.serializer is not JSONSerializer:
        raise NotRepresentable("another serializer")
    return ask("session.encode", {"data": wire(session_dict), "key_salt": self.key_salt})


@answers(f"{BASE}.decode")
def decode(self, session_data):
    if self.serializer is not JSONSerializer or not isinstance(session_data, str):
        raise NotRepresentable("another serializer")
    return ask("session.decode", {"encoded": session_data, "key_salt": self.key_salt})


@answers(f"{BASE}._validate_session_key")
def validate_key(self, key):
    if key is not None and not isinstance(key, str):
        raise NotRepresentable("a key that is not text")
    return ask("session.validate_key", {"key": key})


# The methods below each engine writes for itself.


def load(self):
    return on(self, "session.load")


def create(self):
    on(self, "session.create")


def save(self, must_create=False):
    on(self, "session.save", must_create=bool(must_create))


def exists(self, session_key=None):
    return on(self, "session.exists", key=session_key)


def delete(self, session_key=None):
    on(self, "session.delete", key=session_key)


def flush(self):
    on(self, "session.flush")


def cycle_key(self):
    on(self, "session.cycle_key")


def clear_expired(cls):
    store = cls()
    args = {
        "engine": engine_of(cls),
        "cookie_age": store.get_session_cookie_age(),
        "key_salt": store.key_salt,
    }
    ask("session.clear_expired", args, host=host_of(store), overrides=overrides_of(store))


def twin_of(name):
    async def asynchronous(self, *args, **kwargs):
        return await sync_to_async(getattr(self, name))(*args, **kwargs)

    return asynchronous


for engine, store in ENGINES[:-1]:
    for method in (load, create, save, exists, delete, flush, cycle_key):
        for name, own in ((method.__name__, method), (f"a{method.__name__}", twin_of(method.__name__))):
            if name in vars(store) or method in (flush, cycle_key):
                answers(f"{store.__module__}:SessionStore.{name}")(own)
    store.clear_expired = classmethod(clear_expired)
    store.aclear_expired = classmethod(lambda cls: sync_to_async(cls.clear_expired)())


@answers("django.contrib.sessions.backends.file:SessionStore._key_to_file")
def key_to_file(self, session_key=None):
    if session_key is None:
        session_key = self._get_or_create_session_key()
    return ask("session.file_path", {"key": session_key}, overrides=overrides_of(self))


def storage_path(cls):
    if "_storage_path" not in vars(cls) and getattr(cls, "_storage_path", None) is None:
        cls._storage_path = ask("session.file_storage_path", {})
    return cls._storage_path


file.SessionStore._get_storage_path = classmethod(storage_path)

MIDDLEWARE = "django.contrib.sessions.middleware:SessionMiddleware"


@answers(f"{MIDDLEWARE}.process_request")
def process_request(self, request):
    request.session = self.SessionStore(
        ask("session.process_request", {"cookies": wire(request.COOKIES)})["key"]
    )


@answers(f"{MIDDLEWARE}.process_response")
def process_response(self, request, response):
    session = getattr(request, "session", None)
    if not isinstance(session, base.SessionBase):
        raise NotRepresentable("a session of another kind")
    args = {
        "cookies": wire(request.COOKIES),
        "status": response.status_code,
        "headers": headers.present(response),
    }
    answer = question(session, "session.process_response", args)
    if answer["delete_cookie"] is not None:
        gone = dict(answer["delete_cookie"])
        response.delete_cookie(gone.pop("name"), **gone)
    if answer["set_cookie"] is not None:
        cookies.apply(response, answer["set_cookie"])
    headers.put(response, answer["headers"])
    return response

