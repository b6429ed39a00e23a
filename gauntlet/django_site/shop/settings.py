"""Settings as `startproject` writes them, with what a site behind a TLS proxy is told to add.

What differs from one test to the next comes from the environment: the database, where sessions are kept, the keys, the order
of the hashers.
"""

import json
import os
from urllib.parse import urlsplit

SECRET_KEY = os.environ["SHOP_SECRET_KEY"]
SECRET_KEY_FALLBACKS = json.loads(os.environ.get("SHOP_SECRET_KEY_FALLBACKS", "[]"))
ALLOWED_HOSTS = ["shop.test"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def database(address):
    url = urlsplit(address)
    if url.scheme == "sqlite":
        options = {"transaction_mode": "IMMEDIATE", "timeout": 20}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.path, "OPTIONS": options}
    if url.scheme == "mysql":
        import pymysql

        pymysql.install_as_MySQLdb()
    return {
        "ENGINE": {"postgres": "django.db.backends.postgresql", "mysql": "django.db.backends.mysql"}[url.scheme],
        "NAME": url.path.removeprefix("/"),
        "USER": url.username,
        "PASSWORD": url.password,
        "HOST": url.hostname,
        "PORT": url.port,
    }


DATABASES = {"default": database(os.environ["SHOP_DATABASE"])}

# A site that says nothing keeps them in its database.
if "SHOP_SESSIONS" in os.environ:
    SESSION_ENGINE = "django.contrib.sessions.backends." + os.environ["SHOP_SESSIONS"]
if "SHOP_SESSION_FOLDER" in os.environ:
    SESSION_FILE_PATH = os.environ["SHOP_SESSION_FOLDER"]
if "SHOP_CACHE" in os.environ:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": os.environ["SHOP_CACHE"],
            "KEY_PREFIX": "shop",
            "VERSION": 3,
        }
    }

HASHERS = {
    "argon2": "django.contrib.auth.hashers.Argon2PasswordHasher",
    "pbkdf2_sha256": "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "pbkdf2_sha1": "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "bcrypt_sha256": "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "bcrypt": "django.contrib.auth.hashers.BCryptPasswordHasher",
    "scrypt": "django.contrib.auth.hashers.ScryptPasswordHasher",
    "md5": "django.contrib.auth.hashers.MD5PasswordHasher",
}
PREFERRED_HASHER = os.environ.get("SHOP_HASHER", "argon2")
PASSWORD_HASHERS = [HASHERS.pop(PREFERRED_HASHER), *HASHERS.values()]

USE_TZ = True
STATIC_URL = "static/"
LOGIN_URL = "/login/"
# What `manage.py check --deploy` asks for.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
