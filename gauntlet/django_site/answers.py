"""Answers questions as Django does: a JSON object on each line in, one on each line out.

It stands beside the site with the same settings and the same database, for what no page shows: accounts, groups, and the
functions whose answers are compared with ours on random input. A question that Django raises an error on is answered
with the error's name.
"""

import contextlib
import datetime
import importlib
import io
import json
import logging
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from django.conf import settings  # noqa: E402  (the apps must be loaded first)
from django.contrib.auth import authenticate  # noqa: E402
from django.contrib.auth.hashers import check_password, make_password  # noqa: E402
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core import mail  # noqa: E402
from django.http import HttpResponse, parse_cookie  # noqa: E402
from django.http.request import DisallowedHost  # noqa: E402
from django.middleware.csrf import CsrfViewMiddleware  # noqa: E402
from django.test import RequestFactory, override_settings  # noqa: E402
from django.utils.http import url_has_allowed_host_and_scheme  # noqa: E402
from django.utils.log import AdminEmailHandler  # noqa: E402
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter  # noqa: E402
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables  # noqa: E402


def shell(script):
    """What `manage.py shell -c` would print."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(script, {})
    return printed.getvalue()


def permission(name):
    label, codename = name.split(".", 1)
    return Permission.objects.get(content_type__app_label=label, codename=codename)


def make_user(username, password, **fields):
    return User.objects.create_user(username, f"{username}@shop.test", password, **fields).pk


def set_user(username, **fields):
    return User.objects.filter(username=username).update(**fields)


def password_of(username):
    return User.objects.get(username=username).password


def grant(username, name):
    User.objects.get(username=username).user_permissions.add(permission(name))


def grant_group(group, name):
    Group.objects.get_or_create(name=group)[0].permissions.add(permission(name))


def join(username, group):
    User.objects.get(username=username).groups.add(Group.objects.get(name=group))


def permissions(username):
    return sorted(User.objects.get(username=username).get_all_permissions())


def has_perm(username, name):
    return User.objects.get(username=username).has_perm(name)


def has_module_perms(username, label):
    return User.objects.get(username=username).has_module_perms(label)


def permission_id(name):
    return permission(name).pk


def group_id(name):
    return Group.objects.get(name=name).pk


def encode_password(password, hasher):
    return make_password(password, hasher=hasher)


def verify_password(password, encoded):
    return check_password(password, encoded)


def log_in(username, password):
    user = authenticate(username=username, password=password)
    return user and user.password


def encode_session(text):
    data = json.loads(text)
    return [SessionStore().encode(data), json.dumps(data, separators=(",", ":"))]


def decode_session(encoded):
    return json.dumps(SessionStore().decode(encoded), separators=(",", ":"))


def session_of(key=None):
    return importlib.import_module(settings.SESSION_ENGINE).SessionStore(key)


def begin_session(text, age=None):
    """A session with the JSON of `text`; the key of `signed_cookies` is the whole cookie."""
    session = session_of()
    session.update(json.loads(text))
    if age is not None:
        session.set_expiry(age)
    session.save()
    return session.session_key


def begin_session_with_a_date():
    session = session_of()
    session["when"] = datetime.datetime(2026, 1, 2)
    session.save()
    return session.session_key


def read_session(key):
    """The data as Python shows it, where 1 and 1.0 and True are three things, and as JSON."""
    data = dict(session_of(key).items())
    return [repr(data), json.dumps(data, separators=(",", ":"))]


def set_in_session(key, text):
    session = session_of(key)
    session.update(json.loads(text))
    session.save()
    return session.session_key


def session_age(key):
    """In how many seconds the session ends: what the store says, where it is the store that ends it."""
    session = session_of(key)
    if settings.SESSION_ENGINE.endswith("db"):
        expires = session.get_model_class().objects.get(session_key=key).expire_date
        return (expires - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    if settings.SESSION_ENGINE.endswith(".cache"):
        cache = session._cache
        return cache._cache.get_client().ttl(cache.make_key(session.cache_key))
    return session.get_expiry_age(expiry=session._expiry_date(session.load()))


def end_session(key):
    session_of(key).flush()


def cookies(header):
    return parse_cookie(header)


def host(header, allowed):
    with override_settings(ALLOWED_HOSTS=allowed):
        try:
            return RequestFactory().get("/", headers={"host": header}).get_host()
        except DisallowedHost:
            return None


def next_url(url, hosts, https):
    return url_has_allowed_host_and_scheme(url, set(hosts), https)


class Reasoned(CsrfViewMiddleware):
    """The middleware, whose refusal is its reason and nothing else."""

    def _reject(self, request, reason):
        return HttpResponse(reason, status=403)


def csrf(method, path, headers, body, trusted):
    with override_settings(CSRF_TRUSTED_ORIGINS=trusted):
        request = RequestFactory().generic(
            method, path, body, "application/x-www-form-urlencoded", secure=True, headers=headers
        )
        middleware = Reasoned(lambda request: HttpResponse())
        middleware.process_request(request)
        refusal = middleware.process_view(request, lambda request: HttpResponse(), (), {})
    return refusal and refusal.content.decode()


def cleanse(name, value):
    return SafeExceptionReporterFilter().cleanse_setting(name, value)


def fault(path, headers, body, marked, variables, hidden):
    """A request on which a view fails, and what is known of it: `marked` POST parameters and `hidden` variables are sensitive."""
    meta = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers}
    request = RequestFactory().generic("POST", path, body, "application/x-www-form-urlencoded", secure=True, **meta)

    # The variables have names that are known at run time only.
    source = "def work(values):\n" + "".join(f"    {name} = values[{name!r}]\n" for name in variables)
    made = {}
    exec(source + "    raise ValueError('the price list cannot be read')\n", made)
    work = made["work"] if hidden is None else sensitive_variables(*hidden)(made["work"])

    def view(request):
        work(variables)

    decorated = view if marked is None else sensitive_post_parameters(*marked)(view)
    try:
        decorated(request)
    except ValueError:
        return request, sys.exc_info()


def fault_report(**about):
    """The text of its report, and the variables that stand in the frame where it failed."""
    request, (kind, value, traceback) = fault(**about)
    reporter = ExceptionReporter(request, kind, value, traceback, is_email=True)
    frame = traceback
    while frame.tb_next:
        frame = frame.tb_next
    shown = SafeExceptionReporterFilter().get_traceback_frame_variables(request, frame.tb_frame)
    return [reporter.get_traceback_text(), {name: str(value) for name, value in shown if name != "values"}]


def fault_letter(path, prefix):
    """The subject and the addresses of the letter about a path on which a view fails."""
    request, exc_info = fault(path, [], "", None, {}, None)
    record = logging.LogRecord(
        "django.request", logging.ERROR, "", 0, "%s: %s", ("Internal Server Error", request.path), exc_info
    )
    record.request = request
    told = override_settings(
        ADMINS=[("Ann", "ann@example.com"), ("", "bob@example.com")],
        EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
        EMAIL_SUBJECT_PREFIX=prefix,
        SERVER_EMAIL="shop@example.com",
    )
    with told:
        mail.outbox = []
        AdminEmailHandler().emit(record)
        letter = mail.outbox[0]
    return {"subject": letter.subject, "from": letter.from_email, "to": letter.to}


for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"answer": globals()[question.pop("ask")](**question)}
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the answer)
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
