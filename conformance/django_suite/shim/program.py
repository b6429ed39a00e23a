"""The conformance program as Python sees it: processes that are asked, and values on their way there and back.

One process answers one question at a time. A question may lead to a question of the program's own (a *host call*), and
answering that may need the program again: then a second process is started, and kept.
"""

import base64
import collections
import json
import os
import shlex
import subprocess
import threading
import time

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .defaults import DEFAULTS


class NotRepresentable(Exception):
    """A value that the protocol has no form for; Django's own code is run instead."""


class Broken(Exception):
    """The program did not keep to the protocol, or lacks the operation."""


class Refusal(Exception):
    """An error as the program answered it."""

    def __init__(self, kind, message="", params=None):
        super().__init__(f"{kind}: {message}")
        self.kind, self.message, self.params = kind, message, params or {}


class HostRefusal(Exception):
    """An error as the program is to be told by the host."""

    def __init__(self, kind):
        super().__init__(kind)
        self.kind = kind


def wire(value):
    """A Python value as JSON has it."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$b64": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, dict):
        return {key_of(key): wire(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [wire(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [wire(item) for item in sorted(value)]
    raise NotRepresentable(f"{type(value).__name__} {value!r:.60}")


def key_of(key):
    if isinstance(key, str):
        return str(key)
    raise NotRepresentable(f"the key {key!r:.60}")


def text(value):
    """Text, and nothing that only looks like it."""
    if not isinstance(value, str):
        raise NotRepresentable(f"{type(value).__name__} where text is usual")
    return str(value)


def unwire(value):
    """A JSON value as Python has it."""
    if isinstance(value, dict):
        if value.keys() == {"$b64"}:
            return base64.b64decode(value["$b64"])
        return {key: unwire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unwire(item) for item in value]
    return value


def settings_given():
    """The settings that differ from the protocol's defaults."""
    given = {}
    for name, default in DEFAULTS.items():
        try:
            value = getattr(settings, name)
        except ImproperlyConfigured:
            value = ""
        except AttributeError:
            continue
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        try:
            value = wire(value)
        except NotRepresentable:
            value = str(value)
        if value != default or type(value) is not type(default):
            given[name] = value
    return given


class Process:
    def __init__(self, command):
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=-1
        )

    def send(self, message):
        self.child.stdin.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        self.child.stdin.flush()

    def receive(self):
        line = self.child.stdout.readline()
        if not line:
            raise Broken(f"the program ended with status {self.child.wait()}")
        return json.loads(line)

    def close(self):
        self.child.stdin.close()
        self.child.stdout.close()
        self.child.wait()


class Program:
    """Every process of the program, and what they were asked."""

    def __init__(self, command):
        self.command = shlex.split(command)
        self.idle, self.lock, self.owner = [], threading.Lock(), os.getpid()
        self.asked = collections.Counter()
        self.spent = collections.Counter()
        self.passed_over = collections.Counter()
        self.asked_by_test = 0
        self.problems = []

    def take(self):
        with self.lock:
            if self.owner != os.getpid():
                self.owner, self.idle = os.getpid(), []
            if self.idle:
                return self.idle.pop()
        return Process(self.command)

    def close(self):
        while self.idle:
            self.idle.pop().close()

    def ask(self, op, args, *, host=None, now=None, overrides=None):
        """Asks one question; returns the result and what is to be logged."""
        from django.utils import timezone

        clock = time.time() if now is None else now
        request = {
            "id": 1,
            "op": op,
            "args": wire(args),
            "settings": {**settings_given(), **(overrides or {})},
            "now": clock if isinstance(clock, (int, float)) else 0.0,
            "now_iso": timezone.now().isoformat(),
        }
        self.asked[op] += 1
        self.asked_by_test += 1
        process = self.take()
        raised = None
        began = time.monotonic()
        try:
            process.send(request)
            reply = process.receive()
            while "host" in reply:
                answer, fault = answer_of(host, reply)
                raised = raised or fault
                process.send(answer)
                reply = process.receive()
        except (OSError, ValueError, Broken) as error:
            process.child.kill()
            process.close()
            raise self.problem(f"{op}: {error}") from error
        self.spent[op] += time.monotonic() - began
        with self.lock:
            self.idle.append(process)
        if raised is not None:
            raise raised
        return self.read(op, reply)

    def read(self, op, reply):
        log = reply.get("log", [])
        if "ok" in reply:
            return unwire(reply["ok"]), log
        error = reply["error"]
        if error["kind"] in ("internal", "unsupported_op"):
            raise self.problem(f"{op}: {error}")
        refusal = Refusal(error["kind"], error.get("message", ""), unwire(error.get("params")))
        refusal.log = log
        raise refusal

    def problem(self, what):
        self.problems.append(what)
        return Broken(what)


def answer_of(host, call):
    """The host's answer to a call, and the exception that its own code met, if one did."""
    name, args = call["host"], unwire(call["args"])
    try:
        if host is None:
            raise Broken(f"{name} was not to be expected")
        return {"id": 1, "host_ok": wire(host(name, args))}, None
    except HostRefusal as refusal:
        return {"id": 1, "host_error": {"kind": refusal.kind, "message": ""}}, None
    except Exception as error:
        return {"id": 1, "host_error": {"kind": "failed", "message": str(error)}}, error


PROGRAM = Program(os.environ["CONFORMANCE"])
