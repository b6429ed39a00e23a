"""The deployment checks of `django.core.checks.security`."""

from django.conf import settings
from django.core.checks import Warning
from django.core.checks.security import base, csrf, sessions

from .place import answers, ask

MODULES = {module.__name__: module for module in (base, csrf, sessions)}
IDS = {
    base: {
        "check_security_middleware": ["W001"],
        "check_xframe_options_middleware": ["W002"],
        "check_sts": ["W004"],
        "check_sts_include_subdomains": ["W005"],
        "check_sts_preload": ["W021"],
        "check_content_type_nosniff": ["W006"],
        "check_ssl_redirect": ["W008"],
        "check_secret_key": ["W009"],
        "check_secret_key_fallbacks": ["W025"],
        "check_debug": ["W018"],
        "check_xframe_deny": ["W019"],
        "check_allowed_hosts": ["W020"],
        "check_referrer_policy": ["W022", "E023"],
        "check_cross_origin_opener_policy": ["E024"],
    },
    csrf: {"check_csrf_middleware": ["W003"], "check_csrf_cookie_secure": ["W016"]},
    sessions: {
        "check_session_cookie_secure": ["W010", "W011", "W012"],
        "check_session_cookie_httponly": ["W013", "W014", "W015"],
    },
}


def message(module, found):
    known = getattr(module, found["id"].removeprefix("security."))
    if found["subject"] is None:
        return known
    return Warning(known.msg % found["subject"], id=known.id)


def place(module, name, ids):
    @answers(f"{module.__name__}:{name}")
    def check(app_configs, **kwargs):
        overrides = {"MIDDLEWARE": list(settings.MIDDLEWARE), "INSTALLED_APPS": list(settings.INSTALLED_APPS)}
        for key in ("SECRET_KEY", "SECRET_KEY_FALLBACKS"):
            try:
                getattr(settings, key)
            except Exception:
                overrides[key] = None
        only = [f"security.{check_id}" for check_id in ids]
        return [message(module, found) for found in ask("check.deploy", {"only": only}, overrides=overrides)]


for module, names in IDS.items():
    for name, ids in names.items():
        place(module, name, ids)
