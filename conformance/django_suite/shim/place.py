"""Puts a function in the place of one of Django's, wherever Django has already taken the latter by name.

A replacement says with `NotRepresentable` that a question cannot be put to the program, and Django's own function
answers; how often that happened is counted.
"""

import functools
import importlib
import logging
import sys
from unittest.mock import Mock

from asgiref.sync import iscoroutinefunction
from django.views.decorators.debug import sensitive_variables

from .program import PROGRAM, NotRepresentable, Refusal

#: Django's functions and what has come in their place.
PLACED = []


def find(target):
    """The owner and the name in `module:name` or `module:Class.name`."""
    module, _, path = target.partition(":")
    *classes, name = path.split(".")
    owner = importlib.import_module(module)
    for part in classes:
        owner = getattr(owner, part)
    return owner, name


def django(target):
    """The function as Django wrote it."""
    owner, name = find(target)
    found = getattr(owner, name)
    return getattr(found, "of_django", found)


def answers(target):
    """Makes the decorated function answer for Django's."""

    def decorate(ask):
        owner, name = find(target)
        original = vars(owner).get(name) or getattr(owner, name)

        @functools.wraps(original)
        async def asynchronous(*args, **kwargs):
            try:
                return await ask(*args, **kwargs)
            except NotRepresentable:
                PROGRAM.passed_over[target] += 1
                return await original(*args, **kwargs)

        @functools.wraps(original)
        def synchronous(*args, **kwargs):
            try:
                return ask(*args, **kwargs)
            except NotRepresentable:
                PROGRAM.passed_over[target] += 1
                return original(*args, **kwargs)

        replacement = asynchronous if iscoroutinefunction(original) else synchronous
        if getattr(original, "__code__", None) and original.__code__.co_name == "sensitive_variables_wrapper":
            # What Django hides of a call in its reports is to be hidden of this one.
            replacement = sensitive_variables()(replacement)
        replacement.of_django = original
        setattr(owner, name, replacement)
        PLACED.append((original, replacement))
        return replacement

    return decorate


def sweep():
    """Replaces the names under which Django's modules know the functions from before."""
    placed = {id(original): replacement for original, replacement in PLACED}
    for name, module in list(sys.modules.items()):
        if not name.startswith("django."):
            continue
        for known, value in list(vars(module).items()):
            if id(value) in placed and callable(value):
                setattr(module, known, placed[id(value)])


def overridden(instance, base, *names):
    """Whether a subclass has its own idea of one of the methods."""
    cls = type(instance)
    if any(name in vars(instance) for name in names):
        return True
    return any(getattr(cls, name, None) is not getattr(base, name, None) for name in names)


def mocked(*functions):
    """Whether a test has put a double in the place of a function, to watch Django's own code call it."""
    return any(isinstance(function, Mock) for function in functions)


def only_as_django_wrote_it(instance, base, *names):
    if overridden(instance, base, *names):
        raise NotRepresentable(f"{type(instance).__name__} has methods of its own")


#: Where the exceptions are that the kinds of errors stand for.
KINDS = {
    "InvalidAlgorithm": "django.utils.crypto",
    "BadSignature": "django.core.signing",
    "SignatureExpired": "django.core.signing",
    "DisallowedHost": "django.core.exceptions",
    "DisallowedRedirect": "django.core.exceptions",
    "BadHeaderError": "django.http.response",
    "ImproperlyConfigured": "django.core.exceptions",
    "InvalidTokenFormat": "django.middleware.csrf",
    "InvalidSessionKey": "django.contrib.sessions.exceptions",
    "SessionInterrupted": "django.contrib.sessions.exceptions",
    "UpdateError": "django.contrib.sessions.backends.base",
    "CreateError": "django.contrib.sessions.backends.base",
    "SuspiciousFileOperation": "django.core.exceptions",
    "TooManyFieldsSent": "django.core.exceptions",
    "TooManyFilesSent": "django.core.exceptions",
    "RequestDataTooBig": "django.core.exceptions",
    "MultiPartParserError": "django.http.multipartparser",
    "KeyError": "builtins",
    "RuntimeError": "builtins",
    "ValueError": "builtins",
    "TypeError": "builtins",
    "AssertionError": "builtins",
}


def as_exception(refusal):
    """The exception of Django's or Python's that an error stands for."""
    if refusal.kind == "InvalidPayload":
        return ValueError(refusal.message)
    if refusal.kind not in KINDS:
        return PROGRAM.problem(str(refusal))
    exception = getattr(importlib.import_module(KINDS[refusal.kind]), refusal.kind)
    return exception(refusal.message)


def ask(op, args, **how):
    """Asks the program; its errors are Django's exceptions, its log goes where Django's does."""
    try:
        result, log = PROGRAM.ask(op, args, **how)
    except Refusal as refusal:
        write(refusal.log)
        raise as_exception(refusal) from None
    write(log)
    return result


def write(log):
    for entry in log:
        if entry.get("cause") != "host":
            logging.getLogger(entry["logger"]).log(
                logging.getLevelName(entry["level"].upper()), entry["message"]
            )
