"""A test runner that notes what became of each test and which of them the program answered, and judges the whole.

A test may fail only where `expected.txt` says so, and what is written there must fail: an exception that is none any more
is to be struck out. A line that begins with `?` is about something that depends on the machine.
"""

import collections
import json
import os
import sys
import unittest
from pathlib import Path

from django.test.runner import DiscoverRunner

PROGRAM = None
if "CONFORMANCE" in os.environ:
    from shim.program import PROGRAM

EXPECTED = Path(__file__).resolve().parent / "expected.txt"


class Result(unittest.TextTestResult):
    """Outcomes by the name of the test; a part of a test counts as the test."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.outcomes = {}

    def startTest(self, test):
        super().startTest(test)
        if PROGRAM:
            PROGRAM.asked_by_test, PROGRAM.problems[:] = 0, []

    def stopTest(self, test):
        if PROGRAM and PROGRAM.problems and test.id() not in self.outcomes:
            # Django swallowed what the program did wrong.
            self.failures.append((test, "\n".join(PROGRAM.problems)))
            self.note(test, "failed")
        asked = PROGRAM and PROGRAM.asked_by_test
        self.outcomes.setdefault(test.id(), "passed" if asked else "not asked")
        super().stopTest(test)

    def note(self, test, outcome):
        self.outcomes[getattr(test, "test_case", test).id()] = outcome

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "failed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "failed")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(test, "failed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "failed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped")


def expected():
    """The names of tests that fail, and of those that may."""
    lines = [line for line in EXPECTED.read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#", " ")]
    may = {line[1:].strip() for line in lines if line.startswith("?")}
    return {line.strip() for line in lines if not line.startswith("?")}, may


def judge(outcomes):
    """What is not as it should be."""
    failing, allowed = expected()
    for name, outcome in sorted(outcomes.items()):
        if outcome == "failed" and name not in failing | allowed:
            yield f"failed, and must not: {name}"
        if outcome in ("passed", "not asked") and name in failing:
            yield f"passed, and is in expected.txt: {name}"
    for name in sorted(failing - outcomes.keys()):
        if name.split(".")[0] in {known.split(".")[0] for known in outcomes}:
            yield f"is in expected.txt, and is no test: {name}"


class Runner(DiscoverRunner):
    def get_resultclass(self):
        return Result

    def suite_result(self, suite, result, **kwargs):
        count = collections.Counter(result.outcomes.values())
        if "RECORD" in os.environ:
            record(result)
        wrong = list(judge(result.outcomes))
        excused = count["failed"] - sum(line.startswith("failed") for line in wrong)
        if PROGRAM:
            print(f"{sum(PROGRAM.asked.values())} questions of {len(PROGRAM.asked)} kinds to the program")
            PROGRAM.close()
        print("\n".join(wrong))
        print(
            f"test result: {'FAILED' if wrong else 'ok'}. {count['passed']} passed; {len(wrong)} wrong; "
            f"{excused} as expected.txt says; {count['skipped']} skipped; {count['not asked']} not asked"
        )
        sys.stdout.flush()
        return len(wrong)


def record(result):
    """Writes down everything, for a person to look at."""
    kept = {"outcomes": result.outcomes}
    if PROGRAM:
        kept.update(asked=PROGRAM.asked, spent=PROGRAM.spent, passed_over=PROGRAM.passed_over)
    Path(os.environ["RECORD"]).write_text(json.dumps(kept, indent=1), encoding="utf-8")
