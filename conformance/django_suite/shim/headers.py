"""Response headers: line breaks, `SecurityMiddleware`, and frames."""

import functools

from asgiref.sync import iscoroutinefunction
from django.http import HttpResponsePermanentRedirect
from django.middleware import clickjacking
from django.views.decorators import clickjacking as decorators

from .place import answers, ask, django, overridden
from .requests import usual_proxy_header, wire_request

CONVERT = django("django.http.response:ResponseHeaders._convert_to_charset")


def as_text(value, charset):
    return value.decode(charset) if isinstance(value, bytes) else str(value)


@answers("django.http.response:ResponseHeaders.__setitem__")
def set_header(self, key, value):
    try:
        question = {"name": as_text(key, "ascii"), "value": as_text(value, "latin-1")}
    except UnicodeDecodeError:
        question = {"name": "", "value": ""}
    ask("http.check_header", question)
    # What is left is which characters a header may have; line breaks have been judged.
    plain = question["name"].replace("\r", " ").replace("\n", " ")
    key = CONVERT(self, plain if question["name"] else key, "ascii")
    plain = question["value"].replace("\r", " ").replace("\n", " ")
    value = CONVERT(self, plain if question["value"] else value, "latin-1", mime_encode=True)
    self._store[key.lower()] = (key, value)


def present(response):
    return {name: str(value) for name, value in response.items()}


def put(response, headers):
    for name, value in headers.items():
        response.headers[name] = value


def settings_of(middleware):
    """The settings as they were when the middleware was made."""
    return {
        "SECURE_HSTS_SECONDS": middleware.sts_seconds,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": middleware.sts_include_subdomains,
        "SECURE_HSTS_PRELOAD": middleware.sts_preload,
        "SECURE_CONTENT_TYPE_NOSNIFF": middleware.content_type_nosniff,
        "SECURE_SSL_REDIRECT": middleware.redirect,
        "SECURE_SSL_HOST": middleware.redirect_host,
        "SECURE_REDIRECT_EXEMPT": [pattern.pattern for pattern in middleware.redirect_exempt],
        "SECURE_REFERRER_POLICY": listed(middleware.referrer_policy),
        "SECURE_CROSS_ORIGIN_OPENER_POLICY": middleware.cross_origin_opener_policy,
    }


def listed(policy):
    return policy if policy is None or isinstance(policy, str) else list(policy)


@answers("django.middleware.security:SecurityMiddleware.process_request")
def process_request(self, request):
    usual_proxy_header()
    question = {"request": wire_request(request, secure=True)}
    answer = ask("security.process_request", question, overrides=settings_of(self))
    if answer["redirect_to"] is not None:
        return HttpResponsePermanentRedirect(answer["redirect_to"])


@answers("django.middleware.security:SecurityMiddleware.process_response")
def process_response(self, request, response):
    usual_proxy_header()
    question = {"request": wire_request(request, secure=True), "headers": present(response)}
    put(response, ask("security.process_response", question, overrides=settings_of(self))["headers"])
    return response


XFrame = clickjacking.XFrameOptionsMiddleware


@answers("django.middleware.clickjacking:XFrameOptionsMiddleware.process_response")
def frame(self, request, response):
    value = None
    if overridden(self, XFrame, "get_xframe_options_value"):
        value = self.get_xframe_options_value(request, response)
    question = {
        "headers": present(response),
        "exempt": bool(getattr(response, "xframe_options_exempt", False)),
        "value": value,
    }
    put(response, ask("clickjacking.process_response", question)["headers"])
    return response


def decorate(mode, view):
    def treat(response):
        answer = ask("clickjacking.decorate", {"mode": mode, "headers": present(response)})
        put(response, answer["headers"])
        if answer["exempt"]:
            response.xframe_options_exempt = True
        return response

    if iscoroutinefunction(view):

        @functools.wraps(view)
        async def decorated(*args, **kwargs):
            return treat(await view(*args, **kwargs))

    else:

        @functools.wraps(view)
        def decorated(*args, **kwargs):
            return treat(view(*args, **kwargs))

    return decorated


for mode in ("deny", "sameorigin", "exempt"):
    path = f"{decorators.__name__}:xframe_options_{mode}"
    answers(path)(functools.partial(decorate, mode))
