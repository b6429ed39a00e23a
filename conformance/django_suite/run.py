"""Runs Django's own tests with the conformance program in the place of Django's functions.

    CONFORMANCE=target/debug/conformance python run.py FOLDER [LABEL...]

FOLDER is Django's source distribution, unpacked. Without labels, those of `labels.txt` are run, and what became of each
test is held against `expected.txt`. Without the variable Django itself is tested.
"""

import os
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    tests = Path(sys.argv[1]).resolve() / "tests"
    labels = sys.argv[2:] or listed("labels.txt")
    sys.path[:0] = [str(tests), str(HERE)]
    if "CONFORMANCE" in os.environ:
        os.environ["CONFORMANCE"] = str(Path(os.environ["CONFORMANCE"]).resolve())
    os.chdir(tests)
    os.environ["DJANGO_SETTINGS_MODULE"] = "suite_settings"
    if "CONFORMANCE" in os.environ:
        place()
    verbosity = os.environ.get("VERBOSITY", "0")
    options = ["--settings=suite_settings", "--parallel=1", "--noinput", f"--verbosity={verbosity}"]
    sys.argv = ["runtests.py", *options, *labels]
    runpy.run_path("runtests.py", run_name="__main__")


def listed(name):
    """The lines of a list that say something."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def place():
    """Puts the program in Django's place: a part now, a part as soon as there are models."""
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
