"""A test runner that writes down what became of each test, and whether the program was asked."""

import json
import os
import unittest

from django.test.runner import DiscoverRunner

PROGRAM = None
if "CONFORMANCE" in os.environ:
    from shim.program import PROGRAM


class Result(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.outcomes = {}

    def startTest(self, test):
        super().startTest(test)
        self.failed = False
        if PROGRAM:
            PROGRAM.asked_by_test, PROGRAM.problems[:] = 0, []

    def stopTest(self, test):
        if PROGRAM and PROGRAM.problems and not self.failed:
            self.failures.append((test, "\n".join(PROGRAM.problems)))
            self.note(test, "failed")
        self.outcomes.setdefault(test.id(), "passed")
        if PROGRAM and PROGRAM.asked_by_test == 0 and self.outcomes[test.id()] == "passed":
            self.outcomes[test.id()] = "passed without a question"
        super().stopTest(test)

    def note(self, test, outcome):
        # A subtest counts as its test.
        self.outcomes[getattr(test, "test_case", test).id()] = outcome

    def addError(self, test, err):
        super().addError(test, err)
        self.fail(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.fail(test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.fail(test)

    def fail(self, test):
        self.failed = True
        self.note(test, "failed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.fail(test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note(test, "passed")


class Runner(DiscoverRunner):
    def get_resultclass(self):
        return Result

    def suite_result(self, suite, result, **kwargs):
        record = {"outcomes": result.outcomes}
        if PROGRAM:
            record["asked"] = PROGRAM.asked
            record["passed_over"] = PROGRAM.passed_over
            PROGRAM.close()
        with open(os.environ["RECORD"], "w", encoding="utf-8") as file:
            json.dump(record, file, indent=1)
        return super().suite_result(suite, result, **kwargs)
