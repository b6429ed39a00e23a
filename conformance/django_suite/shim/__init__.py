"""Puts the conformance program in the place of Django's own functions, so that Django's tests judge Palisade.

Each file replaces the functions of one subject; what they share is in `program` and `place`.
"""

from . import place


def begin():
    """Replaces what needs no models; to be called before `django.setup()`."""
    from . import (  # noqa: F401
        accounts,
        checks,
        cookies,
        crypto,
        csrf,
        headers,
        markup,
        passwords,
        reports,
        requests,
        sessions,
        signing,
        stores,
        uploads,
        urls,
    )

    place.sweep()


def finish():
    """Replaces what needs models; to be called after `django.setup()`."""
    from . import permissions  # noqa: F401

    place.sweep()
