"""`django.utils.html`: what is written into a page."""

import functools
import json

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.functional import keep_lazy
from django.utils.safestring import SafeString, mark_safe

from .place import answers, ask
from .program import PROGRAM


@functools.lru_cache(1 << 16)
def escaped(text):
    """A page asks for the same words hundreds of times, and the answer depends on nothing else."""
    return ask("html.escape", {"text": text})


@answers("django.utils.html:escape")
@keep_lazy(SafeString)
def escape(text):
    PROGRAM.asked_by_test += 1
    return SafeString(escaped(str(text)))


@answers("django.utils.html:escapejs")
@keep_lazy(SafeString)
def escapejs(value):
    return mark_safe(ask("html.escapejs", {"text": str(value)}))


@answers("django.utils.html:json_script")
def json_script(value, element_id=None, encoder=None):
    text = json.dumps(value, cls=encoder or DjangoJSONEncoder)
    question = {"json": text, "element_id": str(element_id) if element_id else None}
    return mark_safe(ask("html.json_script", question))
