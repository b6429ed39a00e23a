//! Users, login and logout on Django's auth_user table.
