"""`django.views.debug`: what an error report hides."""

import inspect

from django.conf import settings
from django.views import debug

from .place import answers, ask, only_as_django_wrote_it
from .program import NotRepresentable, text

Filter = debug.SafeExceptionReporterFilter
PATTERN = Filter.hidden_settings.pattern
FILTER = "django.views.debug:SafeExceptionReporterFilter"


class Leaves:
    """Takes a value apart into what JSON can hold, with a number for each leaf, and together again."""

    def __init__(self):
        self.found = []

    def apart(self, value):
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise NotRepresentable("keys that are not text")
            return {key: self.apart(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.apart(item) for item in value]
        self.found.append(value)
        return len(self.found) - 1

    def together(self, shape, value):
        if isinstance(shape, int):
            leaf = self.found[shape]
            return debug.CallableSettingWrapper(leaf) if callable(leaf) else leaf
        if isinstance(shape, str):
            return shape
        if isinstance(shape, dict):
            return {key: self.together(item, value[key]) for key, item in shape.items()}
        made = [self.together(item, part) for item, part in zip(shape, value)]
        return tuple(made) if isinstance(value, tuple) else made


@answers(f"{FILTER}.cleanse_setting")
def cleanse_setting(self, key, value):
    if isinstance(value, (dict, list, tuple)):
        only_as_django_wrote_it(self, Filter, "cleanse_setting")
    if not isinstance(key, (str, type(None))):
        key = None
    leaves = Leaves()
    question = {"key": key, "value": leaves.apart(value)}
    if self.hidden_settings.pattern != PATTERN:
        question["pattern"] = self.hidden_settings.pattern
    if self.cleansed_substitute != "*" * 20:
        question["substitute"] = self.cleansed_substitute
    return leaves.together(ask("debug.cleanse_setting", question), value)


@answers(f"{FILTER}.get_safe_settings")
def get_safe_settings(self):
    only_as_django_wrote_it(self, Filter, "cleanse_setting")
    names = [name for name in dir(settings) if name.isupper()]
    return self.cleanse_setting("", {name: getattr(settings, name) for name in names})


@answers(f"{FILTER}.get_safe_request_meta")
def get_safe_request_meta(self, request):
    only_as_django_wrote_it(self, Filter, "cleanse_setting")
    return self.cleanse_setting("", dict(getattr(request, "META", {})))


@answers(f"{FILTER}.is_active")
def is_active(self, request):
    return ask("debug.filter_is_active", {})


def masked(self, request, values, sensitive):
    """The names of the values that must not be shown."""
    question = {
        "names": [text(name) for name in values],
        "sensitive": sensitive or None,
        "active": bool(self.is_active(request)),
    }
    return ask("debug.mask_names", question)


def of_form(request):
    return getattr(request, "sensitive_post_parameters", None)


def hidden(self, names, values):
    if not names:
        return values
    values = values.copy()
    for name in names:
        values[name] = self.cleansed_substitute
    return values


@answers(f"{FILTER}.get_cleansed_multivaluedict")
def get_cleansed_multivaluedict(self, request, multivaluedict):
    return hidden(self, masked(self, request, multivaluedict, of_form(request)), multivaluedict)


@answers(f"{FILTER}.get_post_parameters")
def get_post_parameters(self, request):
    if request is None:
        return {}
    return hidden(self, masked(self, request, request.POST, of_form(request)), request.POST)


def wrapper_of(frame):
    """The wrapper that `sensitive_variables` made, if this frame is its call."""
    if frame.f_code.co_name == "sensitive_variables_wrapper":
        return frame.f_locals.get("sensitive_variables_wrapper")


def of_frame(frame):
    """What the decorator of the function, or of one that called it, says is sensitive."""
    code = frame.f_code
    if code.co_flags & inspect.CO_COROUTINE and code.co_name != "sensitive_variables_wrapper":
        # A coroutine knows nothing of its caller; the decorator has left a note.
        place = hash(f"{code.co_filename}:{code.co_firstlineno}")
        if place in debug.coroutine_functions_to_sensitive_variables:
            return debug.coroutine_functions_to_sensitive_variables[place]
    while frame is not None:
        wrapper = wrapper_of(frame)
        if wrapper is not None:
            return getattr(wrapper, "sensitive_variables", None)
        frame = frame.f_back


@answers(f"{FILTER}.get_traceback_frame_variables")
def get_traceback_frame_variables(self, request, tb_frame):
    names = set(masked(self, request, tb_frame.f_locals, of_frame(tb_frame)))
    shown = {
        name: self.cleansed_substitute if name in names else self.cleanse_special_types(request, value)
        for name, value in tb_frame.f_locals.items()
    }
    if wrapper_of(tb_frame) is not None:
        shown["func_args"] = shown["func_kwargs"] = self.cleansed_substitute
    return shown.items()
