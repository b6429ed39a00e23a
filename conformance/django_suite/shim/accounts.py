"""Login and logout, session hashes, password-reset tokens, and the way to the login page."""

import functools
import warnings

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib import auth
from django.contrib.auth import REDIRECT_FIELD_NAME, tokens
from django.http import HttpResponseRedirect
from django.middleware import csrf
from django.shortcuts import resolve_url
from django.utils.deprecation import RemovedInDjango61Warning

from .place import answers, ask, only_as_django_wrote_it
from .program import NotRepresentable, text

KEYS = (auth.SESSION_KEY, auth.BACKEND_SESSION_KEY, auth.HASH_SESSION_KEY)


def stored(request):
    # One look that loads, and then only what is there.
    return {key: request.session[key] for key in KEYS if key in request.session}


def follow(request, plan):
    """Does to the session what was decided."""
    if plan["action"] == "cycle":
        request.session.cycle_key()
    elif plan["action"] == "flush":
        request.session.flush()


def put(request, plan):
    for key, value in plan["set"].items():
        request.session[key] = value


def wire_login(user):
    session_hash = user.get_session_auth_hash() if hasattr(user, "get_session_auth_hash") else ""
    return {"id": user._meta.pk.value_to_string(user), "session_hash": session_hash}


@answers("django.contrib.auth:login")
def login(request, user, backend=None):
    if user is None:
        raise NotRepresentable("the user of the request")
    if not isinstance(request.session.get(auth.SESSION_KEY, ""), str):
        raise NotRepresentable("a user id that is not text")
    question = {"stored": stored(request), "user": wire_login(user), "backend": ""}
    follow(request, ask("auth.login", question))
    question["backend"] = auth._get_backend_from_user(user=user, backend=backend)
    plan = ask("auth.login", question)
    put(request, plan)
    if hasattr(request, "user"):
        request.user = user
    if plan["rotate_csrf"]:
        csrf.rotate_token(request)
    auth.user_logged_in.send(sender=user.__class__, request=request, user=user)


@answers("django.contrib.auth:alogin")
async def alogin(request, user, backend=None):
    if user is None:
        user = await request.auser()
        warnings.warn(
            "Fallback to request.auser() when user is None will be removed.",
            RemovedInDjango61Warning,
            stacklevel=2,
        )
    question = {"stored": await astored(request), "user": wire_login(user), "backend": ""}
    await afollow(request, ask("auth.login", question))
    question["backend"] = auth._get_backend_from_user(user=user, backend=backend)
    plan = ask("auth.login", question)
    await aput(request, plan)
    if hasattr(request, "user"):
        request.user = user
    if plan["rotate_csrf"]:
        csrf.rotate_token(request)
    await auth.user_logged_in.asend(sender=user.__class__, request=request, user=user)


async def astored(request):
    return {key: await request.session.aget(key) for key in KEYS if await request.session.ahas_key(key)}


async def afollow(request, plan):
    if plan["action"] == "cycle":
        await request.session.acycle_key()
    elif plan["action"] == "flush":
        await request.session.aflush()


async def aput(request, plan):
    for key, value in plan["set"].items():
        await request.session.aset(key, value)


@answers("django.contrib.auth:aget_user")
async def aget_user(request):
    from django.contrib.auth.models import AnonymousUser

    kept = await astored(request)
    user = None
    if has_backend(kept):
        backend = auth.load_backend(kept[auth.BACKEND_SESSION_KEY])
        user = await backend.aget_user(await auth._aget_user_session_key(request))
    plan = ask("auth.verify_session", wire_session(kept, user))
    await afollow(request, plan)
    await aput(request, plan)
    return (plan["authenticated"] and user) or AnonymousUser()


def has_backend(kept):
    backend = kept.get(auth.BACKEND_SESSION_KEY)
    return auth.SESSION_KEY in kept and backend in settings.AUTHENTICATION_BACKENDS


def wire_session(kept, user):
    """What the session says of a login, and what is known of that user."""
    known = None
    if user is not None:
        known = {"session_hash": None, "fallback_hashes": []}
        if hasattr(user, "get_session_auth_hash"):
            known["session_hash"] = user.get_session_auth_hash()
            known["fallback_hashes"] = list(user.get_session_auth_fallback_hash())
    return {"stored": {key: str(value) for key, value in kept.items()}, "user": known}


@answers("django.contrib.auth:get_user")
def get_user(request):
    from django.contrib.auth.models import AnonymousUser

    kept = stored(request)
    user = None
    if has_backend(kept):
        backend = auth.load_backend(kept[auth.BACKEND_SESSION_KEY])
        user = backend.get_user(auth._get_user_session_key(request))
    plan = ask("auth.verify_session", wire_session(kept, user))
    follow(request, plan)
    put(request, plan)
    return (plan["authenticated"] and user) or AnonymousUser()


@answers("django.contrib.auth:update_session_auth_hash")
def update_session_auth_hash(request, user):
    plan = ask("auth.update_session_hash", wire_change(stored(request), request.user, user))
    follow(request, plan)
    put(request, plan)


@answers("django.contrib.auth:aupdate_session_auth_hash")
async def aupdate_session_auth_hash(request, user):
    # Django asks the plain attribute here, too.
    plan = ask("auth.update_session_hash", wire_change(await astored(request), request.user, user))
    await afollow(request, plan)
    await aput(request, plan)


def wire_change(kept, current, user):
    able = hasattr(user, "get_session_auth_hash")
    session_hash = user.get_session_auth_hash() if able else None
    return {"stored": kept, "same_user": current == user, "session_hash": session_hash}


@answers("django.contrib.auth:_clean_credentials")
def clean_credentials(credentials):
    for name in ask("auth.clean_credentials", {"names": [text(name) for name in credentials]}):
        credentials[name] = "*" * 20
    return credentials


# Tokens.

Generator = tokens.PasswordResetTokenGenerator


def wire_user(user):
    email = getattr(user, user.get_email_field_name(), "") or ""
    return {
        "pk": str(user.pk),
        "password": user.password,
        "last_login": None if user.last_login is None else user.last_login.isoformat(),
        "email": str(email),
    }


def generator(self):
    only_as_django_wrote_it(self, Generator, "_make_hash_value", "_make_token_with_timestamp", "_num_seconds")
    return {
        "now": self._now().isoformat(),
        "secret": self.secret,
        "key_salt": text(self.key_salt),
        "algorithm": text(self.algorithm),
    }


@answers("django.contrib.auth.tokens:PasswordResetTokenGenerator.make_token")
def make_token(self, user):
    return ask("token.make", {**generator(self), "user": wire_user(user)})


@answers("django.contrib.auth.tokens:PasswordResetTokenGenerator.check_token")
def check_token(self, user, token):
    question = {
        **generator(self),
        "user": wire_user(user) if user else None,
        "token": token,
        "secret_fallbacks": list(self.secret_fallbacks),
    }
    return ask("token.check", question)


# The way to the login page.


def login_next(request, login_url):
    question = {
        "absolute_uri": request.build_absolute_uri(),
        "full_path": request.get_full_path(),
        "login_url": login_url,
    }
    return ask("auth.login_next", question)


@answers("django.contrib.auth.decorators:user_passes_test")
def user_passes_test(test_func, login_url=None, redirect_field_name=REDIRECT_FIELD_NAME):
    def to_login(request):
        from django.contrib.auth.views import redirect_to_login

        page = resolve_url(login_url or settings.LOGIN_URL)
        return redirect_to_login(login_next(request, page), page, redirect_field_name)

    def decorate(view):
        if iscoroutinefunction(view):

            async def guarded(request, *args, **kwargs):
                user = await request.auser()
                test = test_func if iscoroutinefunction(test_func) else sync_to_async(test_func)
                if await test(user):
                    return await view(request, *args, **kwargs)
                return to_login(request)

        else:

            def guarded(request, *args, **kwargs):
                test = async_to_sync(test_func) if iscoroutinefunction(test_func) else test_func
                if test(request.user):
                    return view(request, *args, **kwargs)
                return to_login(request)

        guarded.login_url, guarded.redirect_field_name = login_url, redirect_field_name
        return functools.wraps(view)(guarded)

    return decorate


def redirect_to_login(next, login_url=None, redirect_field_name=REDIRECT_FIELD_NAME):
    question = {
        "next": str(next),
        "login_url": resolve_url(login_url or settings.LOGIN_URL),
        "field": redirect_field_name,
    }
    return HttpResponseRedirect(ask("auth.login_redirect", question))
