//! The table of all settings: their names, what they are for, and where they live.
//!
//! Reading, printing, “did you mean” and the documentation all go through this table, so that a setting which is not in
//! it does not exist. A test holds it against the fields of [`Settings`].

use super::setting::Setting;

/// Every setting, in the order in which they are documented.
pub static REGISTRY: &[Setting] = &[
    Setting::new(
        "debug",
        |s| &mut s.debug,
        "\
        Show details on error pages, answer to localhost without allowed_hosts, accept a weak secret_key. For a \
        developer's machine only.",
    ),
    Setting::new(
        "secret_key",
        |s| &mut s.secret_key,
        "\
        Signs sessions, cookies and reset links. Required: at least 50 random characters, the same on every server, \
        kept out of version control. The one of an existing Django site keeps its users logged in.",
    ),
    Setting::new(
        "secret_key_fallbacks",
        |s| &mut s.secret_key_fallbacks,
        "\
        Older keys that still verify while everything is signed anew. Remove them when the sessions have expired.",
    ),
    Setting::new(
        "allowed_hosts",
        |s| &mut s.allowed_hosts,
        "\
        The hosts that the site answers to, without scheme and port. \".example.com\" stands for example.com and \
        everything below it. Required outside debug.",
    ),
    Setting::new(
        "dangerous_allow_any_host",
        |s| &mut s.dangerous_allow_any_host,
        "\
        Accept \"*\" in allowed_hosts outside debug. Then a client chooses the host that ends up in links and caches.",
    ),
    Setting::new(
        "dangerous_expose_debug",
        |s| &mut s.dangerous_expose_debug,
        "\
        Let a site in debug listen where other machines reach it. Everybody there then reads its error pages.",
    ),
    Setting::new(
        "dangerous_insecure_cookies",
        |s| &mut s.dangerous_insecure_cookies,
        "\
        Accept session_cookie_secure or csrf_cookie_secure = false outside debug. Then whoever is on the way takes sessions.",
    ),
    Setting::new(
        "dangerous_readable_secrets",
        |s| &mut s.dangerous_readable_secrets,
        "\
        Accept files with secrets in them that other users of the machine may read, where something else keeps them out.",
    ),
    Setting::new(
        "dangerous_committed_secrets",
        |s| &mut s.dangerous_committed_secrets,
        "\
        Accept files with secrets in them that a git repository tracks. Then everybody with a copy of it can sign sessions.",
    ),
    Setting::new(
        "secure_ssl_redirect",
        |s| &mut s.secure_ssl_redirect,
        "\
        Redirect plain HTTP to HTTPS.",
    ),
    Setting::new(
        "secure_ssl_host",
        |s| &mut s.secure_ssl_host,
        "\
        Redirect to this host instead of the one that the request names. \"none\": the request's.",
    ),
    Setting::new(
        "secure_redirect_exempt",
        |s| &mut s.secure_redirect_exempt,
        "\
        Regular expressions of paths, without their leading slash, that are served over plain HTTP.",
    ),
    Setting::new(
        "secure_proxy_ssl_header",
        |s| &mut s.secure_proxy_ssl_header,
        "\
        The header, and its value, by which a proxy in trusted_proxies says that the client used TLS, such as \
        [\"X-Forwarded-Proto\", \"https\"]. The proxy must strip the header from what clients send.",
    ),
    Setting::new(
        "trusted_proxies",
        |s| &mut s.trusted_proxies,
        "\
        Addresses and networks of the proxies in front of the site. Forwarded headers from anybody else are not read.",
    ),
    Setting::new(
        "use_x_forwarded_host",
        |s| &mut s.use_x_forwarded_host,
        "\
        Take the host from X-Forwarded-Host, where a trusted proxy sends it.",
    ),
    Setting::new(
        "use_x_forwarded_port",
        |s| &mut s.use_x_forwarded_port,
        "\
        Take the port from X-Forwarded-Port, where a trusted proxy sends it.",
    ),
    Setting::new(
        "secure_hsts_seconds",
        |s| &mut s.secure_hsts_seconds,
        "\
        For how long browsers insist on HTTPS after a visit. 0 sends no header.",
    ),
    Setting::new(
        "secure_hsts_include_subdomains",
        |s| &mut s.secure_hsts_include_subdomains,
        "\
        Insist for every subdomain, too. All of them must speak HTTPS.",
    ),
    Setting::new(
        "secure_hsts_preload",
        |s| &mut s.secure_hsts_preload,
        "\
        Let browser makers build the site into their lists, so that even the first visit is safe. Needs one year and the \
        subdomains; unless set, it is off without them.",
    ),
    Setting::new(
        "secure_content_type_nosniff",
        |s| &mut s.secure_content_type_nosniff,
        "\
        Keep browsers from guessing content types (X-Content-Type-Options).",
    ),
    Setting::new(
        "secure_referrer_policy",
        |s| &mut s.secure_referrer_policy,
        "\
        What other sites learn of the page a link was on: a policy, or a list of which browsers take the last they know. \
        \"none\" sends no header.",
    ),
    Setting::new(
        "secure_cross_origin_opener_policy",
        |s| &mut s.secure_cross_origin_opener_policy,
        "\
        Which windows share a browsing context with the site: same-origin, same-origin-allow-popups, \
        noopener-allow-popups or unsafe-none. \"none\" sends no header.",
    ),
    Setting::new(
        "secure_cross_origin_resource_policy",
        |s| &mut s.secure_cross_origin_resource_policy,
        "\
        Which sites may embed the site's responses: same-origin, same-site or cross-origin. \"none\" sends no header.",
    ),
    Setting::new(
        "permissions_policy",
        |s| &mut s.permissions_policy,
        "\
        Which powerful features of the browser the site gives up. \"none\" sends no header.",
    ),
    Setting::new(
        "secure_csp",
        |s| &mut s.secure_csp,
        "\
        What pages may load and run; the nonce of each response takes the place of the one written here. \"none\" \
        sends no header.",
    ),
    Setting::new(
        "secure_csp_report_only",
        |s| &mut s.secure_csp_report_only,
        "\
        A policy under trial: browsers report what it would have stopped. \"none\" sends no header.",
    ),
    Setting::new(
        "secure_csp_report_uri",
        |s| &mut s.secure_csp_report_uri,
        "\
        Where browsers report what a policy has stopped: a path such as /csp-report, or an https:// address. Both policies \
        send there, unless they name an address of their own. \"none\" asks for no reports.",
    ),
    Setting::new(
        "x_frame_options",
        |s| &mut s.x_frame_options,
        "\
        Who may frame the site's pages: DENY or SAMEORIGIN.",
    ),
    Setting::new(
        "session_cookie_name",
        |s| &mut s.session_cookie_name,
        "\
        The session cookie's name. With the prefix __Host- browsers keep subdomains from planting it; then it must be \
        secure, without a domain, and with the path /.",
    ),
    Setting::new(
        "session_cookie_age",
        |s| &mut s.session_cookie_age,
        "\
        For how many seconds the browser keeps the session cookie.",
    ),
    Setting::new(
        "session_cookie_domain",
        |s| &mut s.session_cookie_domain,
        "\
        The domain that shares the session cookie with all its subdomains. \"none\": only the host that set it.",
    ),
    Setting::new(
        "session_cookie_path",
        |s| &mut s.session_cookie_path,
        "\
        The path below which the session cookie is sent.",
    ),
    Setting::new(
        "session_cookie_secure",
        |s| &mut s.session_cookie_secure,
        "\
        Send the session cookie over HTTPS only.",
    ),
    Setting::new(
        "session_cookie_httponly",
        |s| &mut s.session_cookie_httponly,
        "\
        Keep the session cookie from scripts.",
    ),
    Setting::new(
        "session_cookie_samesite",
        |s| &mut s.session_cookie_samesite,
        "\
        Whether the session cookie travels with requests that other sites start: Strict (never), Lax (with links) or \
        None (always; must be secure).",
    ),
    Setting::new(
        "session_expire_at_browser_close",
        |s| &mut s.session_expire_at_browser_close,
        "\
        Let the browser forget the session cookie when it is closed.",
    ),
    Setting::new(
        "session_save_every_request",
        |s| &mut s.session_save_every_request,
        "\
        Save the session and renew its cookie at every request, not only when it changed.",
    ),
    Setting::new(
        "session_idle_age",
        |s| &mut s.session_idle_age,
        "\
        After how many seconds without use a session ends. \"none\": after session_cookie_age.",
    ),
    Setting::new(
        "session_absolute_age",
        |s| &mut s.session_absolute_age,
        "\
        After how many seconds a session ends however much it is used. \"none\" or 0: never.",
    ),
    Setting::new(
        "session_seal_keys",
        |s| &mut s.session_seal_keys,
        "\
        A folder of key files (2026-11-01.key, made by `palisade keys make`): session data is sealed under the newest, so \
        that a stolen table tells nothing; Django cannot read it. \"none\": signed and readable, as Django's.",
    ),
    Setting::new(
        "session_hashed_keys",
        |s| &mut s.session_hashed_keys,
        "\
        Keep the hashes of session keys in the store, so that a stolen table opens no session. Django does not find such \
        sessions.",
    ),
    Setting::new(
        "dangerous_accept_unsealed_sessions",
        |s| &mut s.dangerous_accept_unsealed_sessions,
        "\
        Still accept sessions from before session_seal_keys and session_hashed_keys, each of which is sealed and hashed when \
        it is used. Turn it off after session_cookie_age.",
    ),
    Setting::new(
        "csrf_cookie_name",
        |s| &mut s.csrf_cookie_name,
        "\
        The CSRF cookie's name. The prefix __Host- is possible as for the session cookie.",
    ),
    Setting::new(
        "csrf_cookie_age",
        |s| &mut s.csrf_cookie_age,
        "\
        For how many seconds the browser keeps the CSRF cookie. \"none\" or 0: until it is closed.",
    ),
    Setting::new(
        "csrf_cookie_domain",
        |s| &mut s.csrf_cookie_domain,
        "\
        The domain that shares the CSRF cookie with all its subdomains. \"none\": only the host that set it.",
    ),
    Setting::new(
        "csrf_cookie_path",
        |s| &mut s.csrf_cookie_path,
        "\
        The path below which the CSRF cookie is sent.",
    ),
    Setting::new(
        "csrf_cookie_secure",
        |s| &mut s.csrf_cookie_secure,
        "\
        Send the CSRF cookie over HTTPS only.",
    ),
    Setting::new(
        "csrf_cookie_httponly",
        |s| &mut s.csrf_cookie_httponly,
        "\
        Keep the CSRF cookie from scripts. Scripts that send the token read it from the page.",
    ),
    Setting::new(
        "csrf_cookie_samesite",
        |s| &mut s.csrf_cookie_samesite,
        "\
        Whether the CSRF cookie travels with requests that other sites start: Strict, Lax or None (must be secure).",
    ),
    Setting::new(
        "csrf_use_sessions",
        |s| &mut s.csrf_use_sessions,
        "\
        Keep the CSRF secret in the session instead of a cookie.",
    ),
    Setting::new(
        "csrf_header_name",
        |s| &mut s.csrf_header_name,
        "\
        The request header that may carry the CSRF token. Django's spelling HTTP_X_CSRFTOKEN is read, too.",
    ),
    Setting::new(
        "csrf_trusted_origins",
        |s| &mut s.csrf_trusted_origins,
        "\
        Other origins whose pages may send forms to the site, such as \"https://pay.example.com\" or \
        \"https://*.example.com\".",
    ),
    Setting::new(
        "data_upload_max_memory_size",
        |s| &mut s.data_upload_max_memory_size,
        "\
        The largest request body in bytes, files included; a route that takes more says so with body_limit.",
    ),
    Setting::new(
        "data_upload_max_number_fields",
        |s| &mut s.data_upload_max_number_fields,
        "\
        The most fields of one request.",
    ),
    Setting::new(
        "data_upload_max_number_files",
        |s| &mut s.data_upload_max_number_files,
        "\
        The most files of one request.",
    ),
    Setting::new(
        "password_hashers",
        |s| &mut s.password_hashers,
        "\
        How passwords are hashed: the first makes new hashes, the others verify old ones, which are made anew at the next \
        login. Django's class paths are read, too.",
    ),
    Setting::new(
        "password_keys",
        |s| &mut s.password_keys,
        "\
        A folder of key files (2026-11-01.key, made by `palisade keys make`): new passwords are hashed under the newest, \
        and Django cannot read them. The files must be closed to everybody but the service. \"none\": no keys.",
    ),
    Setting::new(
        "auth_password_validators",
        |s| &mut s.auth_password_validators,
        "\
        What a new password must not be: Django's rules by their class, alone or as { NAME = …, OPTIONS = { … } }, \
        with the options that they have at Django.",
    ),
    Setting::new(
        "password_min_length",
        |s| &mut s.password_min_length,
        "\
        The fewest characters of a new password, for MinimumLengthValidator.",
    ),
    Setting::new(
        "login_url",
        |s| &mut s.login_url,
        "\
        Where to send whoever has to log in.",
    ),
    Setting::new(
        "login_redirect_url",
        |s| &mut s.login_redirect_url,
        "\
        Where a login leads that has no next.",
    ),
    Setting::new(
        "logout_redirect_url",
        |s| &mut s.logout_redirect_url,
        "\
        Where a logout leads.",
    ),
    Setting::new(
        "login_throttle_free_attempts",
        |s| &mut s.login_throttle_free_attempts,
        "\
        How many wrong passwords in a row an account takes before the next try has to wait. Browsers that have been logged \
        in to it have a count of their own.",
    ),
    Setting::new(
        "login_throttle_base_delay",
        |s| &mut s.login_throttle_base_delay,
        "\
        For how many seconds the first try after those has to wait; each failure doubles it.",
    ),
    Setting::new(
        "login_throttle_max_delay",
        |s| &mut s.login_throttle_max_delay,
        "\
        The longest wait in seconds. One failure is forgiven in each such time, so that a guesser has one try in it.",
    ),
    Setting::new(
        "login_throttle_network_free_attempts",
        |s| &mut s.login_throttle_network_free_attempts,
        "\
        How many failures an address (IPv6: a network of 64 bits) has, whatever the accounts, before its next try has to \
        wait. Many people may share one.",
    ),
    Setting::new(
        "login_throttle_network_max_delay",
        |s| &mut s.login_throttle_network_max_delay,
        "\
        The longest wait of an address in seconds, in which one of its failures is forgiven.",
    ),
    Setting::new(
        "login_throttle_device_age",
        |s| &mut s.login_throttle_device_age,
        "\
        For how many seconds after a login a browser is known to the account, so that the failures of strangers do not keep \
        its owner out.",
    ),
    Setting::new(
        "login_throttle_on_outage",
        |s| &mut s.login_throttle_on_outage,
        "\
        What becomes of a login while the throttle's store does not answer: closed (503) or open (let through, uncounted; codes of a \
        second factor never are).",
    ),
    Setting::new(
        "logout_clear_site_data",
        |s| &mut s.logout_clear_site_data,
        "\
        What the browser forgets of the site at logout, over HTTPS: cache, storage, cookies, executionContexts or *. \"none\" sends no \
        header.",
    ),
    Setting::new(
        "reauthenticate_url",
        |s| &mut s.reauthenticate_url,
        "\
        Where to send whoever has to prove once more who they are, before something that cannot be taken back.",
    ),
    Setting::new(
        "reauthenticate_after",
        |s| &mut s.reauthenticate_after,
        "\
        For how many seconds a login, or a password given once more, counts as recent.",
    ),
    Setting::new(
        "password_reset_url",
        |s| &mut s.password_reset_url,
        "\
        The path that links to reset a password begin with; the user and the token follow.",
    ),
    Setting::new(
        "password_reset_timeout",
        |s| &mut s.password_reset_timeout,
        "\
        For how many seconds a link to reset a password works.",
    ),
    Setting::new(
        "site_url",
        |s| &mut s.site_url,
        "\
        The site as people reach it, such as \"https://vault.example\": links in mails begin with it, and never with what \
        a request names. Without it no mail is sent.",
    ),
    Setting::new(
        "email_backend",
        |s| &mut s.email_backend,
        "\
        What becomes of mails: smtp sends them, file writes each into email_file_path (for development), memory keeps them \
        (for tests). Django's three classes are read, too, but not from a dump of its settings.",
    ),
    Setting::new(
        "email_host",
        |s| &mut s.email_host,
        "\
        The server that takes mails. Its certificate must be for this name.",
    ),
    Setting::new(
        "email_port",
        |s| &mut s.email_port,
        "\
        Its port: 587 with STARTTLS, 465 with email_use_ssl unless set.",
    ),
    Setting::new(
        "email_use_tls",
        |s| &mut s.email_use_tls,
        "\
        Turn to TLS with STARTTLS before anything is said; a server that does not offer it gets no mail. Off with \
        email_use_ssl unless set.",
    ),
    Setting::new(
        "email_use_ssl",
        |s| &mut s.email_use_ssl,
        "\
        Speak TLS from the first byte.",
    ),
    Setting::new(
        "email_host_user",
        |s| &mut s.email_host_user,
        "\
        The name to log in with at email_host. Empty: no login.",
    ),
    Setting::new(
        "email_host_password",
        |s| &mut s.email_host_password,
        "\
        The password to log in with at email_host. It travels over TLS only.",
    ),
    Setting::new(
        "email_timeout",
        |s| &mut s.email_timeout,
        "\
        For how many seconds the mail server may keep silent. \"none\": a minute.",
    ),
    Setting::new(
        "email_ca_file",
        |s| &mut s.email_ca_file,
        "\
        A file of authorities (PEM) that the mail server's certificate must be from. \"none\": those of the system.",
    ),
    Setting::new(
        "email_file_path",
        |s| &mut s.email_file_path,
        "\
        The folder into which email_backend = \"file\" writes; made for this user alone.",
    ),
    Setting::new(
        "default_from_email",
        |s| &mut s.default_from_email,
        "\
        Whom mails are from, such as \"Vault <vault@example.com>\".",
    ),
    Setting::new(
        "admins",
        |s| &mut s.admins,
        "\
        Who gets a mail when the site fails, such as [\"Ann <ann@example.com>\"]; Django's pairs [\"Ann\", \
        \"ann@example.com\"] are read, too. Nobody does while debug is on.",
    ),
    Setting::new(
        "server_email",
        |s| &mut s.server_email,
        "\
        Whom the mails to admins are from. Many mail servers refuse the default.",
    ),
    Setting::new(
        "email_subject_prefix",
        |s| &mut s.email_subject_prefix,
        "\
        What the subjects of mails to admins begin with.",
    ),
    Setting::new(
        "dangerous_email_in_clear",
        |s| &mut s.dangerous_email_in_clear,
        "\
        Send mails without TLS, with email_use_tls off, to a server on this machine. Whoever listens there can take over \
        every account.",
    ),
    Setting::new(
        "signed_cookie_legacy_salt_fallback",
        |s| &mut s.signed_cookie_legacy_salt_fallback,
        "\
        Read signed cookies with the salt of Django before 5.2.15, too. With it, one cookie can pass for another \
        (CVE-2026-6873). Nothing here reads such cookies by itself yet.",
    ),
    Setting::new(
        "form_unknown_fields",
        |s| &mut s.form_unknown_fields,
        "\
        What happens to fields that a form does not declare: drop (and log) them, or refuse the request.",
    ),
];
