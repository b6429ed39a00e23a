"""Permissions of `ModelBackend`, and what else needs the models to be there."""

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.shortcuts import resolve_url

from . import accounts
from .place import answers, ask, django, overridden
from .program import NotRepresentable, text

answers("django.contrib.auth.views:redirect_to_login")(accounts.redirect_to_login)


@answers("django.contrib.auth.base_user:AbstractBaseUser._get_session_auth_hash")
def session_hash(self, secret=None):
    secret = settings.SECRET_KEY if secret is None else secret
    return ask("auth.session_hash", {"password": text(self.password), "secret": secret})

BACKEND = "django.contrib.auth.backends:ModelBackend"
STORED = django(f"{BACKEND}._get_permissions")


def wire_user(user):
    return {
        "is_active": bool(user.is_active),
        "is_anonymous": bool(user.is_anonymous),
        "is_superuser": bool(getattr(user, "is_superuser", False)),
    }


def host_of(backend, user):
    """Answers `permissions.load` from the tables, as often as Django would ask them."""
    kinds = iter(("user", "group"))

    def answer(name, args):
        # A superuser has every permission twice, once of each kind.
        kind = next(kinds, "group") if args["kind"] == "every" else args["kind"]
        return sorted(STORED(backend, user, None, kind))

    return answer


def put(op, backend, user, **args):
    return ask(op, {"user": wire_user(user), **args}, host=host_of(backend, user))


def permissions(kind):
    def found(self, user_obj, obj=None):
        found = put("auth.permissions", self, user_obj, kind=kind, with_object=obj is not None)
        if kind == "all" and obj is None and user_obj.is_active and not user_obj.is_anonymous:
            user_obj._perm_cache = set(found)
        return set(found)

    return found


for kind in ("user", "group", "all"):
    answers(f"{BACKEND}.get_{kind}_permissions")(permissions(kind))


def as_ever(backend):
    names = ("get_all_permissions", "get_user_permissions", "get_group_permissions")
    if overridden(backend, ModelBackend, *names):
        raise NotRepresentable("permissions from elsewhere")


@answers(f"{BACKEND}.has_perm")
def has_perm(self, user_obj, perm, obj=None):
    as_ever(self)
    return put("auth.has_perm", self, user_obj, perm=text(perm), with_object=obj is not None)


@answers(f"{BACKEND}.has_module_perms")
def has_module_perms(self, user_obj, app_label):
    as_ever(self)
    return put("auth.has_module_perms", self, user_obj, app_label=text(app_label), with_object=False)


def twin_of(name):
    async def asynchronous(self, *args, **kwargs):
        return await sync_to_async(getattr(self, name))(*args, **kwargs)

    return asynchronous


for name in (
    "get_user_permissions",
    "get_group_permissions",
    "get_all_permissions",
    "has_perm",
    "has_module_perms",
):
    answers(f"{BACKEND}.a{name}")(twin_of(name))


@answers("django.contrib.auth.middleware:LoginRequiredMiddleware.handle_no_permission")
def not_logged_in(self, request, view_func):
    page = resolve_url(self.get_login_url(view_func))
    target = accounts.login_next(request, page)
    return views.redirect_to_login(target, page, self.get_redirect_field_name(view_func))


@answers("django.contrib.auth.mixins:AccessMixin.handle_no_permission")
def handle_no_permission(self):
    if self.raise_exception or self.request.user.is_authenticated:
        raise PermissionDenied(self.get_permission_denied_message())
    page = resolve_url(self.get_login_url())
    target = accounts.login_next(self.request, page)
    return views.redirect_to_login(target, page, self.get_redirect_field_name())
