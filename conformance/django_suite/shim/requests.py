"""`HttpRequest`: who is asked for, on which port, over what."""

from django.conf import settings
from django.http.request import HttpRequest

from .place import answers, ask, django, overridden
from .program import NotRepresentable, text


def header_name(meta):
    if meta.startswith("HTTP_"):
        return meta[5:].replace("_", "-").lower()
    return meta.replace("_", "-").lower() if meta in ("CONTENT_TYPE", "CONTENT_LENGTH") else None


def wire_request(request, secure=False):
    """A request as the protocol has it; `secure` asks Django's property, where an operation needs the answer."""
    headers = {}
    for meta, value in request.META.items():
        name = header_name(meta)
        if name is not None and isinstance(value, str):
            headers[name] = value
    port = request.META.get("SERVER_PORT")
    return {
        "method": request.method,
        "path": str(request.path),
        "query": str(request.META.get("QUERY_STRING") or ""),
        "headers": headers,
        "cookies": {str(name): str(value) for name, value in request.COOKIES.items()},
        "server_name": request.META.get("SERVER_NAME"),
        "server_port": None if port is None else str(port),
        "transport_scheme": request._get_scheme(),
        "secure": request.is_secure() if secure else None,
    }


def usual_proxy_header():
    header = settings.SECURE_PROXY_SSL_HEADER
    if header and (len(header) != 2 or header_name(header[0]) is None):
        raise NotRepresentable("SECURE_PROXY_SSL_HEADER")


@answers("django.http.request:HttpRequest.get_host")
def get_host(self):
    if overridden(self, HttpRequest, "_get_raw_host", "get_port"):
        raise NotRepresentable("a request of another kind")
    usual_proxy_header()
    unknown = "HTTP_HOST" not in self.META
    return ask("request.get_host", {"request": wire_request(self, secure=unknown)})


@answers("django.http.request:HttpRequest.get_port")
def get_port(self):
    return ask("request.get_port", {"request": wire_request(self)})


SCHEME = django("django.http.request:HttpRequest.scheme").fget


def scheme(self):
    try:
        usual_proxy_header()
        return ask("request.scheme", {"request": wire_request(self)})
    except NotRepresentable:
        return SCHEME(self)


HttpRequest.scheme = property(scheme)


@answers("django.http.request:split_domain_port")
def split_domain_port(host):
    return tuple(ask("http.split_domain_port", {"host": text(host)}))


@answers("django.utils.http:is_same_domain")
def is_same_domain(host, pattern):
    return ask("http.is_same_domain", {"host": text(host), "pattern": text(pattern)})
