"""`django.middleware.csrf`: tokens, origins, and the three moments of the middleware."""

from django.conf import settings
from django.http import UnreadablePostError
from django.middleware import csrf

from . import cookies, headers
from .place import answers, ask, only_as_django_wrote_it, write
from .program import PROGRAM, Refusal, text
from .requests import usual_proxy_header, wire_request

Middleware = csrf.CsrfViewMiddleware


def state_of(request):
    return {
        "secret": request.META.get("CSRF_COOKIE"),
        "needs_update": bool(request.META.get("CSRF_COOKIE_NEEDS_UPDATE")),
        "done": bool(getattr(request, "csrf_processing_done", False)),
    }


def keep(request, state):
    if state["secret"] is not None:
        request.META["CSRF_COOKIE"] = state["secret"]
    if state["needs_update"] != bool(request.META.get("CSRF_COOKIE_NEEDS_UPDATE")):
        request.META["CSRF_COOKIE_NEEDS_UPDATE"] = state["needs_update"]


def session_of(request):
    if not settings.CSRF_USE_SESSIONS:
        return None
    if not hasattr(request, "session"):
        return {"present": False, "token": None}
    return {"present": True, "token": request.session.get(csrf.CSRF_SESSION_KEY)}


@answers("django.middleware.csrf:_mask_cipher_secret")
def mask(secret):
    return ask("csrf.mask", {"secret": text(secret)})


@answers("django.middleware.csrf:_unmask_cipher_token")
def unmask(token):
    return ask("csrf.unmask", {"token": text(token)})


@answers("django.middleware.csrf:_check_token_format")
def check_token_format(token):
    ask("csrf.check_token_format", {"token": text(token)})


@answers("django.middleware.csrf:_does_token_match")
def token_matches(request_csrf_token, csrf_secret):
    return ask("csrf.token_matches", {"token": text(request_csrf_token), "secret": text(csrf_secret)})


@answers("django.middleware.csrf:get_token")
def get_token(request):
    answer = ask("csrf.get_token", {"state": state_of(request)})
    keep(request, answer["state"])
    return answer["token"]


@answers("django.middleware.csrf:rotate_token")
def rotate_token(request):
    keep(request, ask("csrf.rotate_token", {"state": state_of(request)})["state"])


def trusted(name):
    def found(self):
        return ask("csrf.trusted_origins", {})[name]

    return found


for attribute, name in {
    "csrf_trusted_origins_hosts": "referer_hosts",
    "allowed_origins_exact": "exact",
    "allowed_origin_subdomains": "subdomains",
}.items():
    make = set if name == "exact" else (lambda found: found)
    setattr(Middleware, attribute, property(lambda self, name=name, make=make: make(trusted(name)(self))))


@answers("django.middleware.csrf:CsrfViewMiddleware._origin_verified")
def origin_verified(self, request):
    usual_proxy_header()
    return ask("csrf.check_origin", {"request": wire_request(request, secure=True)})


@answers("django.middleware.csrf:CsrfViewMiddleware._check_referer")
def check_referer(self, request):
    usual_proxy_header()
    reason = ask("csrf.check_referer", {"request": wire_request(request, secure=True)})
    if reason is not None:
        raise csrf.RejectRequest(reason)


@answers("django.middleware.csrf:CsrfViewMiddleware.process_request")
def process_request(self, request):
    only_as_django_wrote_it(self, Middleware, "_get_secret")
    question = {
        "request": wire_request(request),
        "state": state_of(request),
        "session": session_of(request),
    }
    keep(request, ask("csrf.process_request", question)["state"])


def form_of(request):
    """The token in the form, and what went wrong in reading it."""
    try:
        return {"token": request.POST.get("csrfmiddlewaretoken")}, None
    except UnreadablePostError:
        return {"error": "unreadable"}, None
    except Exception as error:
        return {"error": "other"}, error


@answers("django.middleware.csrf:CsrfViewMiddleware.process_view")
def process_view(self, request, callback, callback_args, callback_kwargs):
    only_as_django_wrote_it(self, Middleware, "_get_secret", "_check_token")
    usual_proxy_header()
    state = state_of(request)
    exempt = bool(getattr(callback, "csrf_exempt", False))
    skip = bool(getattr(request, "_dont_enforce_csrf_checks", False))
    form, error = {"token": None}, None
    if request.method == "POST" and not (state["done"] or exempt or skip):
        form, error = form_of(request)
    question = {
        "request": wire_request(request, secure=True),
        "state": state,
        "session": session_of(request),
        "exempt": exempt,
        "skip_checks": skip,
        "form": form,
    }
    try:
        answer, log = PROGRAM.ask("csrf.process_view", question)
    except Refusal as refusal:
        if refusal.kind == "FormReadError" and error is not None:
            raise error from None
        raise csrf.ImproperlyConfigured(refusal.message) from None
    write(log)
    keep(request, answer["state"])
    if answer["decision"] == "accept":
        return self._accept(request)
    if answer["decision"] == "reject":
        return self._reject(request, answer["reason"])


@answers("django.middleware.csrf:CsrfViewMiddleware.process_response")
def process_response(self, request, response):
    only_as_django_wrote_it(self, Middleware, "_set_csrf_cookie")
    state = state_of(request)
    question = {
        "state": state,
        "session": session_of(request) if state["needs_update"] else None,
        "headers": headers.present(response),
    }
    answer = ask("csrf.process_response", question)
    keep(request, answer["state"])
    if answer["set_session_token"] is not None:
        request.session[csrf.CSRF_SESSION_KEY] = answer["set_session_token"]
    if answer["set_cookie"] is not None:
        cookies.apply(response, answer["set_cookie"])
    headers.put(response, answer["headers"])
    return response

