"""Writes django_addresses.jsonl: what Django answers about hosts, URLs, origins, referers and redirects.

Run with a Python that has Django 5.2; with a number as argument it writes that many random cases instead.
CPython releases differ in how strictly they read brackets; a URL that any of them refuses counts as refused.
"""

import json
import random
import re
import sys
import urllib.parse as up

import django
from django.conf import settings

settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=[])
django.setup()

import django.middleware.csrf as csrf  # noqa: E402
import django.utils.http as dhttp  # noqa: E402
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect  # noqa: E402
from django.http.request import DisallowedHost, split_domain_port  # noqa: E402
from django.core.exceptions import DisallowedRedirect  # noqa: E402
from django.test import override_settings  # noqa: E402


def urlsplit(url):
    parts = up.urlsplit(url)
    if "[" in parts.netloc:
        host = parts.netloc.rpartition("@")[2]
        before, bracket, rest = host.partition("[")
        if bracket:
            inner, _, port = rest.partition("]")
            if before or (port and not port.startswith(":")):
                raise ValueError("Invalid IPv6 URL")
        else:
            inner = host.partition(":")[0]
        up._check_bracketed_host(inner)
    return parts


csrf.urlsplit = dhttp.urlsplit = urlsplit
import django.http.response as response  # noqa: E402

response.urlsplit = urlsplit


def request(host, secure=True, port="443", **meta):
    made = HttpRequest()
    made.META = {"HTTP_HOST": host, "SERVER_PORT": port, "SERVER_NAME": "unused", **meta}
    made._get_scheme = lambda: "https" if secure else "http"
    return made


def host(text):
    return ["host", text, *split_domain_port(text)]


def allowed(text, patterns, debug=False):
    with override_settings(ALLOWED_HOSTS=patterns, DEBUG=debug):
        try:
            request(text).get_host()
            answer = None
        except DisallowedHost as refusal:
            answer = str(refusal)
    return ["allowed", text, patterns, debug, answer]


def url(text):
    try:
        parts = urlsplit(text)
        return ["url", text, list(parts), parts.geturl()]
    except ValueError:
        return ["url", text, None, None]


def next_(text, hosts, https):
    return ["next", text, hosts, https, dhttp.url_has_allowed_host_and_scheme(text, set(hosts), https)]


def middleware():
    return csrf.CsrfViewMiddleware(lambda _: HttpResponse())


def origin(text, own, trusted, secure=True):
    with override_settings(ALLOWED_HOSTS=["*"], CSRF_TRUSTED_ORIGINS=trusted):
        answer = middleware()._origin_verified(request(own, secure, HTTP_ORIGIN=text))
    return ["origin", text, own, trusted, secure, answer]


def referer(text, own, trusted, domain=None, port="443"):
    with override_settings(ALLOWED_HOSTS=["*"], CSRF_TRUSTED_ORIGINS=trusted, CSRF_COOKIE_DOMAIN=domain):
        try:
            middleware()._check_referer(request(own, port=port, HTTP_REFERER=text))
            answer = None
        except csrf.RejectRequest as refusal:
            answer = refusal.reason
    return ["referer", text, own, trusted, domain, port, answer]


def redirect(text):
    try:
        return ["redirect", text, HttpResponseRedirect(text)["Location"]]
    except (DisallowedRedirect, ValueError):
        return ["redirect", text, None]


def slashes(text):
    return ["slashes", text, dhttp.escape_leading_slashes(text)]


def cases(text):
    """Splits at bars and line ends; {a} stands for the character of that code."""
    return [re.sub(r"\{([0-9a-f]+)\}", lambda m: chr(int(m[1], 16)), case) for case in re.split(r"[|\n]", text)]


HOSTS = cases(r"""example.com|EXAMPLE.com|example.com:80|example.com:|example.com:0|example.com:99999999999|example.com:8a
example.com.|example.com.:443|example.com..|.example.com|.|..|-|a-.b|com|127.0.0.1|127.0.0.1:8000|0x7f.1|256.256.256.256|[::1]
[::1]:8000|[2001:DB8::1]|[::1|::1]|[::1].|[::1]]|[]|[:]|[::]|[1]|[g::1]|[::ffff:1.2.3.4]|[fe80::1%25eth0]|[v1.a]|a_b.com
user@example.com|user:pw@example.com|example.com/|example.com/x|example.com\|exa mple.com|example.com:80:80|:80|example.com#a|example.com?a
*|*.example.com|example.com,evil.com|http://example.com|xn--n3h.net|exämple.com|example.com{a}|{a}example.com| example.com|example.com |a..b|1|""")

URLS = cases(r"""http://example.com/|HTTP://Example.COM/Path?Query#Frag|//example.com|///example.com|////example.com|http:///example.com|http:example.com|http:/example.com|http:|:|://a|/|?|#|?a#b|#a?b
a:b|1a:b|a+b-c.d:e|a_b:c|é:c|ab|mailto:me@a.example|javascript:alert(1)|data:,x|http:999|path/http:2|path:2|a/b:c|http://a?b|http://a#b|http://a/b?c?d#e#f|http://a?|http://a#|http:?a|ftp:a|ftp://|https:|https://|wss:x|x://|x:///y|x:////y|http:////y|file:///etc|file:x|rtsps:x
 http://a|{9} http://a|{00}http://a|{1f} http://a|{7f}http://a|{a0}http://a|ht{9}tp://a|http:/{a}/a|http://a{d}.b/|http://a/{9}b|/{9}/a|{9}//a|/{d}{a}/a|http://a |http://a{00}
http://[::1]|http://[::1]:80|http://[::1|http://::1]|http://]::1[|http://[]|http://[1.2.3.4]|http://[::1.2.3.4]|http://[::1.2.3.04]|http://[v1.a]|http://[v1.]|http://[v.a]|http://[vg.a]|http://[V1.a]|http://[fe80::1%eth0]|http://[fe80::1%]|http://[fe80::1%a%b]|http://[a]|http://x[::1]|http://[::1]x|http://[::1]x:80|http://[::1]@a|http://[x]@[::1]|http://u@[::1]|http://[::1][::2]|http://[::1]]|http://[[::1]]|http://[1:2:3:4:5:6:7:8]|http://[1:2:3:4:5:6:7:8:9]|http://[1::2:3:4:5:6:7:8]|http://[1:2:3:4:5:6:7::]|http://[:1:2:3:4:5:6:7]|http://[12345::]|http://[::g]|http://a/[b|http://a?]b|/[|[|//[|//[/]
http://user:pw@a:80/|http://a@b@c/|http://a:b:c/|http://a:/|http://a:port/|http://a\b/|http://a\@b/|http:\\a|\\a|/\a
http://℀.example|http://a℀b|http://ａ.example|http://a／b|http://a＃b|http://a＠b|http://a：b|http://a？b|http://é|http://é:80|http://e{0301}|http://é@℀|/℀|http://ﬁ.example|http://℅:80|http://bücher.example/ä?ö#ü""")

NEXT_HOSTS = ["testserver", "a.example:8443"]
NEXTS = cases(r"""/|/a/b?c=d#e|view/?param=http://example.com|view/?param=https://example.com|view?param=ftp://example.com|view/?param=//example.com|https://testserver/|HTTPS://testserver/|HTTPS://TESTSERVER/|//testserver/|http://testserver/|http://testserver:80/|https://a.example:8443/x|https://a.example/|/url%20with%20spaces/|path/http:2222222222|confirm/me@example.com|?next|#x|a
http://example.com|http:///example.com|https://example.com|ftp://example.com|\\example.com|\\\example.com|/\\/example.com|\\\example.com|\\//example.com|/\/example.com|\/example.com|/\example.com|http:///example.com|http:/\//example.com|http:\/example.com|http:/\example.com|javascript:alert("XSS")|{a}javascript:alert(x)|java{a}script:alert(x)|{08}//example.com|http://otherserver\@example.com|http:\\testserver\@example.com|http://testserver\me:pass@example.com|http://testserver\@example.com|http:\\testserver\confirm\me@example.com|http:999999999|ftp:9999999999|{a}|||http://[2001:cdba:0000:0000:0000:0000:3257:9652/|http://2001:cdba:0000:0000:0000:0000:3257:9652]/|///example.com|////example.com|http://testserver@evil.example/|http://evil.example@testserver/|http://testserver:pw@evil.example|https:evil.example|https:/evil.example|http:|//|//@|/|  /a  |{9}//evil.example|/{9}/evil.example|h{9}ttp://evil.example|{1b}//evil.example|{200b}//testserver|{feff}/a|{00a0}/a|/a{00}|/a{d}{a}b|http://testserver℀/|//evil.example\@testserver|//testserver\@evil.example|//testserver{00}/|./a|../a|;a|data:text/html,x|vbscript:x|blob:x|//[::1]/|http://testserver#@evil.example|http://testserver?@evil.example|/http://evil.example|:80|:|http://|https://testserver\|https://testserver/\|\|/\|%2F%2Fevil.example|//testserver.|http://ｔestserver/""")

TRUSTED = ["https://dashboard.example.com", "https://*.example.com", "http://plain.example:8080", "https://*.port.example:8443", "https://[::1]:9"]
ORIGINS = cases(r"""https://dashboard.example.com|https://DASHBOARD.example.com|http://dashboard.example.com|https://example.com|https://a.b.example.com|https://aexample.com|https://example.com:443|https://a.example.com:8443|http://plain.example:8080|http://plain.example|https://plain.example:8080|https://port.example:8443|https://a.port.example:8443|https://a.port.example|null||https://|https://.example.com|//a.example.com|a.example.com|https://[|https://[::1]:9|https://evil.example|https://example.com.evil.example|https://a.example.com/path|https://a.example.com/?|https://u@a.example.com|HTTPS://a.example.com|https://A.EXAMPLE.COM|https://own.example|https://own.example:443|https://OWN.example|http://own.example|https://own.example/| https://a.example.com|https://a.example.com{9}|https://evil.example#.example.com|https://evil.example/.example.com|https://evil.example\.example.com|https://℀.example.com""")
REFERERS = ORIGINS + cases(r"""https://own.example/form|https://own.example:443/form|https://own.example?q|https://own.example#f|https://a.plain.example:8080/|https://plain.example:8080/x|http://own.example/|https://own.example.evil.example/|https://own.example@evil.example/|https://evil.example/own.example|https://evil.example;a?b#c|https://cookie.example/|https://a.cookie.example/|https://a.cookie.example:4443/|javascript:x|/relative""")


def fixed():
    yield from map(host, HOSTS)
    lists = [["*"], [".example.com", "127.0.0.1", "[::1]"], ["EXAMPLE.com"], [], ["."], [""], ["example.com:80"]]
    for patterns in lists:
        for text in ["example.com", "a.EXAMPLE.com:80", "aexample.com", "127.0.0.1:1", "[::1]", "localhost", "a.localhost", "b_d", "it's", "x.."]:
            yield allowed(text, patterns)
            if not patterns:
                yield allowed(text, patterns, True)
    yield from map(url, dict.fromkeys(URLS))
    for text in dict.fromkeys(NEXTS):
        yield next_(text, NEXT_HOSTS, False)
        if "testserver" in text or "a.example" in text:
            yield next_(text, NEXT_HOSTS, True)
    yield next_("//x", [], False)
    yield next_("http://", [""], False)
    for text in ORIGINS:
        yield origin(text, "own.example", TRUSTED)
    for text in ["http://own.example:8000", "https://own.example:8000", "http://own.example"]:
        yield origin(text, "own.example:8000", [], False)
    for text in dict.fromkeys(REFERERS):
        yield referer(text, "own.example", TRUSTED)
    for text in REFERERS[-5:] + ["https://own.example/"]:
        yield referer(text, "own.example", [], ".cookie.example")
        yield referer(text, "own.example:4443", [], ".cookie.example", "4443")
    for text in ["/", "", "/é ☃", "/%zz", "ftp://a/", "mailto:x", "HTTP://a", "//a", "http://[", "/a\\b", "/\"<>^`{|}", "/a\r\nb", "/\x7f\x00", "/~'!*()", "data:x", "/\U0001f600"]:
        yield redirect(text)
        yield slashes(text)
    yield slashes("///a")


def rand(count):
    random.seed(count)
    atoms = ["http", "https", ":", ":", "/", "/", "//", "\\", "?", "#", "@", "[", "]", "[::1]", "example.com", "a.example.com", ".example.com", "own.example", ".", "*", "%", "v1.", "1", "80", "é", "℀", "／", "\t", "\n", "\r", " ", "\0", "\x1b", "\x1c", "\x85", "\xa0", "\u200b", "\ufeff", "A", "-", "_", ",", ";", "ftp", "javascript", "::", "ffff", "1.2.3.4", "|", '"', "<", "'", "null", "\U0001f600"]
    for _ in range(count):
        text = "".join(random.choices(atoms, k=random.randint(1, 7)))
        if random.random() < 0.3:
            text = random.choice(["http://", "https://", "//", "/"]) + text
        kind = random.randrange(8)
        if kind == 0:
            if text.isascii():
                yield host(text)
        elif kind == 1:
            if text.isascii():
                yield allowed(text, [".example.com", "own.example", "[::1]"])
        elif kind == 2:
            yield url(text)
        elif kind in (3, 4):
            yield next_(text, ["example.com", "own.example", "[::1]"], random.random() < 0.5)
        elif kind == 5:
            yield origin(text, "own.example", TRUSTED)
        elif kind == 6:
            yield referer(text, "own.example", TRUSTED)
        else:
            yield redirect(text)
            yield slashes(text)


for case in rand(int(sys.argv[1])) if len(sys.argv) > 1 else fixed():
    print(json.dumps(case, ensure_ascii=True, separators=(",", ":")))
