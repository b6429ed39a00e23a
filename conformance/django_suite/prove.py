"""Builds the conformance program, fetches Django's own tests, and runs them with the program in Django's place.

It needs only Python's standard library. Django, at the versions that the live tests use, goes into a virtual environment
under the target folder, its tests are unpacked beside that; both stay there until a version changes.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIREMENTS = ROOT / "gauntlet/django_site/requirements.txt"
SOURCE = HERE / "source.txt"


def main():
    program = built()
    place = program.parent.parent / "django-suite"
    python, tests = fetched(place)
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda labels: run(python, tests, program, labels), groups()))
    for output, _ in runs:
        print(output, end="", flush=True)
    return any(status for _, status in runs)


def built():
    """Compiles the program, and says where it is."""
    cargo = os.environ.get("CARGO", "cargo")
    # The same selection as the other stages, or the dependencies would be compiled once more.
    what = ["build", "--workspace", "--all-features", "--bin", "conformance"]
    how = ["--message-format=json-render-diagnostics"]
    output = subprocess.run([cargo, *what, *how], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    messages = [json.loads(line) for line in output.splitlines() if line.startswith(b"{")]
    found = [message.get("executable") for message in messages if message.get("executable")]
    return Path(found[-1])


def fetched(place):
    """Django and its tests: the environment's Python, and the folder of the tests."""
    wanted = REQUIREMENTS.read_text(encoding="utf-8") + SOURCE.read_text(encoding="utf-8")
    stamp, environment, source = place / "wanted.txt", place / "venv", place / "source"
    python = environment / "bin/python"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(place, ignore_errors=True)
        venv.create(environment, with_pip=True)
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-r", REQUIREMENTS], check=True)
        download = ["download", "--no-deps", "--no-binary=:all:", "--require-hashes", "-r", SOURCE]
        subprocess.run([*pip, *download, "-d", place], check=True)
        for archive in place.glob("*.tar.gz"):
            with tarfile.open(archive) as opened:
                opened.extractall(source, **safely())
        stamp.write_text(wanted, encoding="utf-8")
    return python, next(source.iterdir())


def safely():
    return {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def groups():
    """The labels, by the run in which they are; runs go on at the same time."""
    text = (HERE / "labels.txt").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return [group.split() for group in lines.strip().split("\n\n")]


def run(python, tests, program, labels):
    """One run of Django's tests; what it printed, and its status."""
    told = {"CONFORMANCE": str(program), "PYTHONDONTWRITEBYTECODE": "1"}
    told = {**os.environ, **told}
    told.pop("VIRTUAL_ENV", None)
    command = [python, HERE / "run.py", tests, *labels]
    done = subprocess.run(command, env=told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout, done.returncode


if __name__ == "__main__":
    sys.exit(main())
