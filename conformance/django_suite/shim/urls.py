"""`django.utils.http`, redirects and query strings."""

from django.conf import settings
from django.http.response import HttpResponse
from django.utils import http
from django.utils.datastructures import MultiValueDict
from django.utils.encoding import iri_to_uri

from .place import answers, ask
from .program import NotRepresentable, text


def number(value):
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotRepresentable("a number")
    return value


@answers("django.utils.http:url_has_allowed_host_and_scheme")
def url_has_allowed_host_and_scheme(url, allowed_hosts, require_https=False):
    if isinstance(allowed_hosts, str):
        allowed_hosts = [allowed_hosts]
    args = {
        "url": None if url is None else str(url),
        "allowed_hosts": None if allowed_hosts is None else sorted(map(str, allowed_hosts)),
        "require_https": bool(require_https),
    }
    return ask("http.url_has_allowed_host_and_scheme", args)


@answers("django.utils.http:int_to_base36")
def int_to_base36(i):
    return ask("http.base36_encode", {"n": number(i)})


@answers("django.utils.http:base36_to_int")
def base36_to_int(s):
    return ask("http.base36_decode", {"s": text(s)})


@answers("django.utils.http:urlsafe_base64_encode")
def urlsafe_base64_encode(s):
    if not isinstance(s, bytes):
        raise NotRepresentable("bytes")
    return ask("http.urlsafe_base64_encode", {"data": s})


@answers("django.utils.http:urlsafe_base64_decode")
def urlsafe_base64_decode(s):
    return ask("http.urlsafe_base64_decode", {"s": text(s)})


@answers("django.utils.http:escape_leading_slashes")
def escape_leading_slashes(url):
    return ask("http.escape_leading_slashes", {"url": text(url)})


@answers("django.utils.http:http_date")
def http_date(epoch_seconds=None):
    import time

    seconds = time.time() if epoch_seconds is None else epoch_seconds
    if not isinstance(seconds, (int, float)):
        raise NotRepresentable("seconds")
    return ask("http.date", {"epoch_seconds": seconds})


@answers("django.utils.http:parse_http_date")
def parse_http_date(date):
    now = http.datetime.now(tz=http.timezone.utc).timestamp()
    return ask("http.parse_date", {"date": text(date)}, now=now)


@answers("django.utils.http:content_disposition_header")
def content_disposition_header(as_attachment, filename):
    args = {"as_attachment": bool(as_attachment), "filename": text(filename) if filename else None}
    return ask("http.content_disposition", args)


@answers("django.http.response:HttpResponseRedirectBase.__init__")
def redirect(self, redirect_to, preserve_request=False, *args, **kwargs):
    HttpResponse.__init__(self, *args, **kwargs)
    question = {
        "to": str(redirect_to),
        "permanent": self.status_code == 301,
        "preserve_request": bool(preserve_request),
        "allowed_schemes": list(self.allowed_schemes),
    }
    try:
        answer = ask("http.redirect", question)
    except Exception:
        # The response is shown with its target where it is refused.
        self["Location"] = iri_to_uri(redirect_to)
        raise
    self["Location"] = answer["location"]
    if preserve_request:
        self.status_code = answer["status"]


@answers("django.http.request:QueryDict.__init__")
def query_dict(self, query_string=None, mutable=False, encoding=None):
    encoding = encoding or settings.DEFAULT_CHARSET
    if encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
        raise NotRepresentable("another encoding")
    pairs = ask("http.parse_query", {"query": query_string}) if query_string else []
    MultiValueDict.__init__(self)
    self.encoding = encoding
    self._mutable = True
    for key, value in pairs:
        self.appendlist(key, value)
    self._mutable = mutable

