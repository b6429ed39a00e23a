"""Serves the benchmark's views with Django 5.2 as `startproject` sets it up, made ready for production.

The whole site is one module: `python bench_site.py` makes the database and the account, gunicorn serves
`bench_site:application`. The middleware is the full list of Django's project template. Views answer with a
plain HttpResponse, no template, so that the figures show the stack and not the template engine.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.conf import settings

USERNAME, PASSWORD = "alice", "correct horse battery staple"



def database():
    """PostgreSQL if the benchmark has started one, or else SQLite."""
    if address := os.environ.get("BENCH_POSTGRES"):
        place = urlsplit(address)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": place.path.lstrip("/"),
            "USER": place.username,
            "PASSWORD": place.password,
            "HOST": place.hostname,
            "PORT": place.port,
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ["BENCH_DATA"]) / "django.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def sessions():
    """The cache in Redis if the benchmark has started one, or else the database."""
    if address := os.environ.get("BENCH_REDIS"):
        cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": address}
        return {"SESSION_ENGINE": "django.contrib.sessions.backends.cache", "CACHES": {"default": cache}}
    return {}


settings.configure(
    DEBUG=False,
    SECRET_KEY=os.environ["BENCH_SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    DATABASES={"default": {**database(), "CONN_MAX_AGE": None}},
    **sessions(),
    LOGIN_URL="/login",
    USE_TZ=True,
    # What `manage.py check --deploy` asks for.
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    SECURE_SSL_REDIRECT=True,
    SECURE_HSTS_SECONDS=31_536_000,
    SECURE_HSTS_INCLUDE_SUBDOMAINS=True,
    SECURE_HSTS_PRELOAD=True,
    SESSION_COOKIE_SECURE=True,
    CSRF_COOKIE_SECURE=True,
)
django.setup()

from django.contrib.auth import authenticate, login  # noqa: E402  (the apps must be loaded first)
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import FileResponse, HttpResponse, HttpResponseRedirect  # noqa: E402
from django.middleware.csrf import get_token  # noqa: E402
from django.urls import path  # noqa: E402


def hello(request):
    return HttpResponse("hello, world")


@login_required
def me(request):
    return HttpResponse(f"hello, {request.user.get_username()}")


def token_page(request):
    token = get_token(request)
    return HttpResponse(f'<form><input type="hidden" name="csrfmiddlewaretoken" value="{token}"></form>')


@login_required
def form(request):
    if request.method != "POST":
        return token_page(request)
    return HttpResponse(f"{request.user.get_username()} read {len(request.POST['note'])} bytes")


@login_required
def count(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(f"count={request.session['count']}")


@login_required
def document(request, number):
    return FileResponse(open(Path(os.environ["BENCH_DATA"]) / "documents" / str(number), "rb"), as_attachment=True)


def login_page(request):
    if request.method != "POST":
        return token_page(request)
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse(status=401)
    login(request, user)
    return HttpResponseRedirect("/me")


urlpatterns = [
    path("hello", hello),
    path("me", me),
    path("form", form),
    path("count", count),
    path("login", login_page),
    path("documents/<int:number>", document),
]

application = get_wsgi_application()

if __name__ == "__main__":
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    if not User.objects.filter(username=USERNAME).exists():
        User.objects.create_user(USERNAME, password=PASSWORD)
