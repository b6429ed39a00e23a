"""Runs Django's own tests with the conformance program in the place of Django's functions.

    CONFORMANCE=target/debug/conformance python run.py FOLDER [LABEL...]

FOLDER is Django's source distribution, unpacked. Without the variable, Django itself is tested.
"""

import os
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    tests = Path(sys.argv[1]).resolve() / "tests"
    labels = sys.argv[2:] or (HERE / "labels.txt").read_text().split()
    sys.path[:0] = [str(tests), str(HERE)]
    os.chdir(tests)
    os.environ["DJANGO_SETTINGS_MODULE"] = "suite_settings"
    if "CONFORMANCE" in os.environ:
        place()
    sys.argv = ["runtests.py", "--settings=suite_settings", "--parallel=1", "--noinput", "-v", "0", *labels]
    runpy.run_path("runtests.py", run_name="__main__")


def place():
    import django
    import shim

    setup = django.setup

    def set_up(*args, **kwargs):
        setup(*args, **kwargs)
        shim.finish()

    django.setup = set_up
    shim.begin()


if __name__ == "__main__":
    main()
