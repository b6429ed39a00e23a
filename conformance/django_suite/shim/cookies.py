"""Cookies: `parse_cookie` and what a response sets."""

import datetime

from django.utils import timezone

from .place import answers, ask
from .program import NotRepresentable, text

ATTRIBUTES = {
    "domain": "domain",
    "expires": "expires",
    "httponly": "httponly",
    "max-age": "max-age",
    "path": "path",
    "samesite": "samesite",
    "secure": "secure",
}


@answers("django.http.cookie:parse_cookie")
def parse_cookie(cookie):
    return ask("cookie.parse", {"header": text(cookie)})


def put(response, name, value, header):
    """Puts a Set-Cookie value among the cookies of a response, where Django's tests look for its parts."""
    response.cookies[name] = value
    morsel = response.cookies[name]
    pair, *attributes = header.split("; ")
    coded = pair.partition("=")[2]
    morsel.set(name, str(value), coded)
    morsel["expires"] = ""
    for attribute in attributes:
        known, equals, setting = attribute.partition("=")
        known = ATTRIBUTES[known.lower()]
        if known == "max-age":
            setting = int(setting)
        morsel[known] = setting if equals else True


@answers("django.http.response:HttpResponseBase.set_cookie")
def set_cookie(
    self,
    key,
    value="",
    max_age=None,
    expires=None,
    path="/",
    domain=None,
    secure=False,
    httponly=False,
    samesite=None,
):
    if isinstance(max_age, datetime.timedelta):
        max_age = max_age.total_seconds()
    expires_at = None
    if isinstance(expires, datetime.datetime):
        if timezone.is_naive(expires):
            expires = timezone.make_aware(expires, datetime.timezone.utc)
        expires, expires_at = None, expires.isoformat()
    if not isinstance(max_age, (int, float, type(None))):
        raise NotRepresentable("max_age")
    self.cookies[key] = value
    args = {
        "name": key,
        "value": str(value),
        "max_age": max_age,
        "expires": expires or None,
        "expires_at": expires_at,
        "path": path,
        "domain": domain,
        "secure": bool(secure),
        "httponly": bool(httponly),
        "samesite": samesite or None,
    }
    now = datetime.datetime.now(tz=datetime.timezone.utc).timestamp() if expires_at else None
    put(self, key, value, ask("cookie.build", args, now=now))


@answers("django.http.response:HttpResponseBase.delete_cookie")
def delete_cookie(self, key, path="/", domain=None, samesite=None):
    args = {"name": key, "path": path, "domain": domain, "samesite": samesite or None}
    put(self, key, "", ask("cookie.build_delete", args))


def apply(response, cookie):
    """Sets a cookie of which an operation has answered the parts."""
    cookie = dict(cookie)
    response.set_cookie(cookie.pop("name"), cookie.pop("value"), **cookie)
