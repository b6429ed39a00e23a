"""Hashers, `check_password`, and the rules for passwords and user names."""

import functools

from django.contrib.auth import hashers, password_validation, validators
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.utils.translation import get_language

from .place import answers, ask, django, mocked, only_as_django_wrote_it
from .program import PROGRAM, NotRepresentable, Refusal, text

MODULE = "django.contrib.auth.hashers"
BASE = "django.contrib.auth.password_validation"
METHODS = ("encode", "decode", "verify", "must_update", "safe_summary", "salt")


def wire_hasher(hasher, *replaced):
    """A hasher and what it costs; it is Django's own but for the methods that a test has replaced."""
    args = {"algorithm": hasher.algorithm, "salt_entropy": getattr(hasher, "salt_entropy", 128)}
    for cls, kind, names in KINDS:
        if isinstance(hasher, cls):
            only_as_django_wrote_it(hasher, cls, *(set(METHODS) - set(replaced)))
            args["kind"] = kind
            args.update({name: getattr(hasher, name) for name in names})
            if kind in ("pbkdf2", "bcrypt"):
                args["digest"] = hasher.digest and hasher.digest().name
            return args
    raise NotRepresentable(type(hasher).__name__)


KINDS = [
    (hashers.PBKDF2PasswordHasher, "pbkdf2", ("iterations",)),
    (hashers.Argon2PasswordHasher, "argon2", ("time_cost", "memory_cost", "parallelism")),
    (hashers.BCryptSHA256PasswordHasher, "bcrypt", ("rounds",)),
    (hashers.ScryptPasswordHasher, "scrypt", ("work_factor", "block_size", "parallelism")),
    (hashers.MD5PasswordHasher, "md5", ()),
]


def secret(password):
    if not isinstance(password, (str, bytes, type(None))):
        raise NotRepresentable("a password of another type")
    return password


def ascii(salt):
    return salt.decode("ascii") if isinstance(salt, bytes) else salt


def encode(self, password, salt, iterations=None, **costs):
    hasher = wire_hasher(self)
    if iterations:
        hasher["iterations"] = iterations
    names = {"n": "work_factor", "r": "block_size", "p": "parallelism"}
    hasher.update({names[name]: value for name, value in costs.items() if value})
    return ask("hasher.encode", {"hasher": hasher, "password": secret(password), "salt": ascii(salt)})


def decode(self, encoded):
    return ask("hasher.decode", {"hasher": wire_hasher(self), "encoded": text(encoded)})


def verify(self, password, encoded):
    question = {"hasher": wire_hasher(self), "password": secret(password), "encoded": text(encoded)}
    return ask("hasher.verify", question)


def must_update(self, encoded):
    return ask("hasher.must_update", {"hasher": wire_hasher(self), "encoded": text(encoded)})


def safe_summary(self, encoded):
    return ask("hasher.safe_summary", {"hasher": wire_hasher(self), "encoded": text(encoded)})


def salt(self):
    made = ask("hasher.salt", {"hasher": wire_hasher(self)})
    return made.encode() if isinstance(self, hashers.BCryptSHA256PasswordHasher) else made


def harden_runtime(self, password, encoded):
    # Tests count the runs, and so replace `encode`.
    question = {"hasher": wire_hasher(self, "encode"), "encoded": text(encoded)}
    for run in ask("hasher.harden_plan", question):
        salt = run["salt"]
        if isinstance(self, hashers.BCryptSHA256PasswordHasher):
            salt = salt.encode()
        more = [] if run["iterations"] is None else [run["iterations"]]
        self.encode(password, salt, *more)


for cls, *_ in KINDS:
    for method in (encode, decode, verify, must_update, safe_summary, salt, harden_runtime):
        if method.__name__ in vars(cls):
            answers(f"{MODULE}:{cls.__name__}.{method.__name__}")(method)


@answers(f"{MODULE}:BasePasswordHasher.salt")
def base_salt(self):
    return salt(self)


@answers(f"{MODULE}:is_password_usable")
def is_password_usable(encoded):
    return ask("password.is_usable", {"encoded": None if encoded is None else text(encoded)})


@answers(f"{MODULE}:identify_hasher")
def identify_hasher(encoded):
    question = {"encoded": text(encoded), "algorithms": list(hashers.get_hashers_by_algorithm())}
    return hashers.get_hasher(ask("password.identify", question))


@answers(f"{MODULE}:make_password")
def make_password(password, salt=None, hasher="default"):
    if password is None:
        return ask("password.make", {"password": None, "salt": None, "hasher": None})
    hasher = wire_hasher(hashers.get_hasher(hasher))
    return ask("password.make", {"password": secret(password), "salt": ascii(salt), "hasher": hasher})


@answers(f"{MODULE}:verify_password")
def verify_password(password, encoded, preferred="default"):
    if mocked(hashers.identify_hasher, hashers.make_password):
        raise NotRepresentable("a mock")
    chosen = hashers.get_hasher(preferred)
    question = {
        "password": secret(password),
        "encoded": text(encoded),
        "hashers": [wire_hasher(hasher) for hasher in hashers.get_hashers_by_algorithm().values()],
        "preferred": wire_hasher(chosen),
    }
    answer = ask("password.verify", question)
    if "harden" in answer["work"]:
        hasher = hashers.identify_hasher(encoded)
        if "harden_runtime" in vars(hasher):
            # The work has been done, but a test counts who does it.
            hasher.harden_runtime(password, encoded)
    return answer["correct"], answer["must_update"]


# Rules.


def wire_validator(validator):
    for cls, names in RULES.items():
        if isinstance(validator, cls):
            options = {name: getattr(validator, name) for name in names}
            return {"name": cls.__name__, "options": options}
    raise NotRepresentable(type(validator).__name__)


RULES = {
    password_validation.MinimumLengthValidator: ("min_length",),
    password_validation.UserAttributeSimilarityValidator: ("user_attributes", "max_similarity"),
    password_validation.CommonPasswordValidator: ("password_list_path",),
    password_validation.NumericPasswordValidator: (),
}


def attributes(validator, user):
    if not user or not isinstance(validator, password_validation.UserAttributeSimilarityValidator):
        return None
    found = []
    for name in validator.user_attributes:
        value = getattr(user, name, None)
        if not isinstance(value, str) or not value:
            continue
        try:
            verbose_name = str(user._meta.get_field(name).verbose_name)
        except FieldDoesNotExist:
            verbose_name = name
        found.append({"name": name, "value": value, "verbose_name": verbose_name})
    return found


def validate(self, password, user=None):
    question = {
        "validator": wire_validator(self),
        "password": text(password),
        "user": attributes(self, user),
    }
    try:
        PROGRAM.ask("validator.validate", question)
    except Refusal as refusal:
        if refusal.kind != "ValidationError":
            raise
        message = self.get_error_message()
        params = refusal.params["params"] or None
        if get_language() in ("en", "en-us", None) and type(self) in RULES:
            assert refusal.message == message % (params or {}), refusal.message
        raise ValidationError(message, code=refusal.params["code"], params=params) from None


def described(name):
    def describe(self):
        if get_language() not in ("en", "en-us", None) or mocked(password_validation.ngettext):
            raise NotRepresentable("another language")
        return ask("validator.describe", {"validator": wire_validator(self)})[name]

    return describe


for rule in RULES:
    answers(f"{BASE}:{rule.__name__}.validate")(validate)
    answers(f"{BASE}:{rule.__name__}.get_error_message")(described("error_message"))
    answers(f"{BASE}:{rule.__name__}.get_help_text")(described("help_text"))


@answers(f"{BASE}:UserAttributeSimilarityValidator.__init__")
def similarity(self, user_attributes=("username", "first_name", "last_name", "email"), max_similarity=0.7):
    self.user_attributes, self.max_similarity = user_attributes, max_similarity
    ask("validator.describe", {"validator": wire_validator(self)})


COMMON = django(f"{BASE}:CommonPasswordValidator.__init__")


@answers(f"{BASE}:CommonPasswordValidator.__init__")
def common(self, password_list_path=None):
    self.password_list_path = password_list_path and str(password_list_path)
    # A test looks at the list.
    COMMON(self, *([password_list_path] if password_list_path else []))


def check_username(self, mode, value):
    if not ask("validator.username", {"mode": mode, "value": str(value)}):
        raise ValidationError(self.message, code=self.code, params={"value": value})


validators.ASCIIUsernameValidator.__call__ = functools.partialmethod(check_username, "ascii")
validators.UnicodeUsernameValidator.__call__ = functools.partialmethod(check_username, "unicode")
