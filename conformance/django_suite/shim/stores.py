"""What sessions are stored in, at the program's request: the rows of a session model, and the cache."""

from django.contrib.sessions.backends.db import SessionStore as Database
from django.db import DatabaseError, IntegrityError, router, transaction
from django.utils.dateparse import parse_datetime

from .program import HostRefusal


def host_of(session):
    """Answers `store.*` and `cache.*` for one session."""

    def answer(name, args):
        return ANSWERS[name](session, **args)

    return answer


def load(session, key):
    row = session.model.objects.filter(session_key=key).first()
    return row and {"data": row.session_data, "expires": row.expire_date.isoformat()}


def exists(session, key):
    return session.model.objects.filter(session_key=key).exists()


def row_of(session, key, data, expires):
    if type(session).create_model_instance is not Database.create_model_instance:
        # A site's own store adds columns of its own.
        kept, session._session_key = session._session_key, key
        try:
            row = session.create_model_instance(getattr(session, "_session_cache", {}))
        finally:
            session._session_key = kept
    else:
        row = session.model()
    row.session_key, row.session_data, row.expire_date = key, data, parse_datetime(expires)
    return row


def insert(session, key, data, expires):
    write(session, row_of(session, key, data, expires), IntegrityError, "exists", force_insert=True)


def update(session, key, data, expires):
    write(session, row_of(session, key, data, expires), DatabaseError, "missing", force_update=True)


def write(session, row, error, kind, **how):
    using = router.db_for_write(session.model, instance=row)
    try:
        with transaction.atomic(using=using):
            row.save(using=using, **how)
    except error:
        raise HostRefusal(kind) from None


def delete(session, key):
    for row in session.model.objects.filter(session_key=key):
        row.delete()


def delete_expired(session, now):
    return session.model.objects.filter(expire_date__lt=parse_datetime(now)).delete()[0]


def cached(method):
    def answer(session, **args):
        session._fault = None
        try:
            return method(session._cache, **args)
        except Exception as error:
            session._fault = error
            raise HostRefusal("unavailable") from None

    return answer


ANSWERS = {
    "store.load": load,
    "store.exists": exists,
    "store.insert": insert,
    "store.update": update,
    "store.delete": delete,
    "store.delete_expired": delete_expired,
    "cache.get": cached(lambda cache, key: cache.get(key)),
    "cache.set": cached(lambda cache, key, value, timeout: cache.set(key, value, timeout)),
    "cache.add": cached(lambda cache, key, value, timeout: cache.add(key, value, timeout)),
    "cache.delete": cached(lambda cache, key: cache.delete(key) and None),
    "cache.has": cached(lambda cache, key: key in cache),
}
