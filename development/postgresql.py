"""Runs the tests of the history on PostgreSQL: python -m development.postgresql.

A PostgreSQL server is started for the tests, in a temporary folder. If none is installed, the
tests are skipped with a message.
"""

from __future__ import annotations

import os
from pathlib import Path
import pwd
import shutil
import subprocess
import sys
import tempfile

from .process import free_port

# Those in which the most is written, read, and lost
TESTS = ("tests/test_history.py", "tests/test_history_loss.py", "tests/test_history_zones.py")


def binaries() -> Path | None:
    """Return the folder of the newest installed PostgreSQL server."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: float(path.parts[-3]),
    )
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


def main() -> int:
    """Start a server, run the tests on it, stop it, and return the exit code of the tests."""
    folder = binaries()
    if folder is None:
        print("Skipped: PostgreSQL is not installed (on Debian: apt install postgresql).")
        return 0
    # The server refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        try:
            pwd.getpwnam(user)
        except KeyError:
            print("Skipped: PostgreSQL does not run as root, and there is no user 'postgres'.")
            return 0
    data = Path(tempfile.mkdtemp(prefix="openai-account-postgresql-"))
    port = free_port()
    if user:
        shutil.chown(data, user)

    def run(*command: str | Path) -> None:
        subprocess.run(command, user=user, check=True, stdout=subprocess.DEVNULL, cwd=data)

    control = (folder / "pg_ctl", "-D", data / "db", "-w")
    options = f"-c listen_addresses=127.0.0.1 -c fsync=off -k {data} -p {port}"
    try:
        run(folder / "initdb", "-D", data / "db", "-A", "trust", "-U", "tests", "-E", "UTF8")
        run(*control, "-l", data / "log", "-o", options, "start")
        try:
            url = f"postgresql://tests@127.0.0.1:{port}/homeassistant"
            return subprocess.run(
                [sys.executable, "-m", "pytest", "-q", f"--dburl={url}", *TESTS, *sys.argv[1:]],
                check=False,
            ).returncode
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
