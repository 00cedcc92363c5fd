"""Tells how many small mistakes in the code the tests notice: scripts/test --mutation.

cosmic-ray makes the mistakes (see `mutants.py`). Each one runs only the tests that reach its
line, the fastest first, until one of them fails; each run is forked from a process that has
Home Assistant loaded already. What is known of the tests is kept in `.state/mutation`.
"""

import argparse
import ast
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
import hashlib
from importlib.machinery import SourceFileLoader
import json
import multiprocessing
import os
from pathlib import Path
import subprocess
import sys
import threading
import tomllib
from types import CodeType
from typing import Any
from xml.etree import ElementTree as ET

from coverage import CoverageData

from .process import REPOSITORY

INTEGRATION = Path("custom_components/openai_account")
TESTS = Path("tests")
STATE = REPOSITORY / ".state/mutation"
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
SURVIVORS = STATE / "survivors.json"

# Where money, keys and history are.
MODULES = (
    "api",
    "history",
    "coordinator",
    "trigger.py",
    "condition.py",
    "automation.py",
    "services.py",
    "daily_costs.py",
)

# These are not about the integration's code, or take too long for one mistake.
NO_TESTS = (
    *("test_dashboard.py", "test_fixtures.py", "test_languages.py", "test_readme.py"),
    *("test_simulator_", "test_soak.py", "test_validate.py"),
)

# Loaded once; the plugin must be the first that loads the recorder.
PRELOADED = (
    "pytest",
    "pytest_homeassistant_custom_component.plugins",
    "homeassistant.components.recorder.statistics",
    "homeassistant.components.http",
    "homeassistant.components.diagnostics",
    "homeassistant.components.automation",
    "homeassistant.components.websocket_api",
    "hypothesis",
    "freezegun",
    "syrupy",
)

# In seconds, with coverage: a test of the client or of a reader alone
_FAST = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A test: how long it takes in seconds, and the lines that it reaches, by path."""

    name: str
    seconds: float
    lines: Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A module with a mistake; `lines` are those that it concerns."""

    path: str
    line: int
    lines: Sequence[int]
    operator: str
    before: str
    after: str
    source: str

    @property
    def module(self) -> str:
        """The path within the integration."""
        return str(Path(self.path).relative_to(INTEGRATION))

    @property
    def change(self) -> str:
        """The change, as `equivalent_mutants.toml` names it."""
        return f"{self.before} → {self.after}"


# ---- What the tests reach ------------------------------------------------------------------------


def measure(files: Iterable[Path], jobs: int) -> list[Test]:
    """Return the tests in some files; runs those of files that are new, or were changed.

    All of them run again once the integration's code was changed, since that moves its lines.
    """
    code = b"".join(path.read_bytes() for path in _paths("."))
    with ThreadPoolExecutor(jobs) as pool:
        found = pool.map(lambda path: _measure(path, code), files)
        return [test for tests in found for test in tests]


def _measure(path: Path, code: bytes) -> list[Test]:
    """Return a file's tests that pass, from what is known or by running them."""
    digest = hashlib.sha256(code + path.read_bytes()).hexdigest()[:16]
    known = STATE / f"{path.stem}.json"
    content = json.loads(known.read_text("utf-8")) if known.is_file() else {}
    if content.get("digest") != digest:
        print(f"  {path}", flush=True)
        content = {"digest": digest, "tests": _run_with_coverage(path)}
        known.write_text(json.dumps(content), "utf-8")
    return [
        Test(
            name=name,
            seconds=one["seconds"],
            lines={module: frozenset(lines) for module, lines in one["lines"].items()},
        )
        for name, one in content["tests"].items()
    ]


def _run_with_coverage(path: Path) -> dict[str, Any]:
    data_file, report = STATE / f"{path.stem}.coverage", STATE / f"{path.stem}.xml"
    data_file.unlink(missing_ok=True)
    options = (
        "-q -p no:cacheprovider --cov --cov-context=test --cov-report= --cov-fail-under=0"
        f" --junitxml={report}"
    )
    subprocess.run(
        # Waiting for a response that never comes takes many seconds.
        [sys.executable, "-m", "pytest", *options.split(), "-k", "not hang", str(path)],
        check=False,
        # The default core notes a line for the first test only.
        env={**os.environ, "COVERAGE_FILE": str(data_file), "COVERAGE_CORE": "ctrace"},
        stdout=subprocess.DEVNULL,
    )
    lines: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    data = CoverageData(str(data_file))
    data.read()
    for file in data.measured_files():
        module = str(Path(file).relative_to(REPOSITORY))
        for line, contexts in data.contexts_by_lineno(file).items():
            for test in {context.partition("|")[0] for context in contexts}:
                lines[test][module].append(line)
    data_file.unlink()
    tests: dict[str, Any] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest's own file
        if len(case) == 0:
            name = f"{path}::{case.get('name')}"
            tests[name] = {"seconds": float(case.get("time", 0)), "lines": lines.get(name, {})}
    report.unlink()
    return tests


# ---- The mistakes --------------------------------------------------------------------------------


def mutants_of(path: Path, seed: str) -> Iterator[Mutant]:
    """Yield a module's mutants in the seed's order, without the equivalent ones."""
    equivalent = tomllib.loads(EQUIVALENT.read_text("utf-8"))
    left_out = equivalent.get(str(path.relative_to(INTEGRATION)), {})
    output = subprocess.run(
        [".venv/mutation/bin/python", "-m", "development.mutants", seed, str(path)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in output.splitlines():
        mutant = Mutant(**json.loads(line))
        if mutant.change not in left_out:
            yield mutant


def tests_for(mutant: Mutant, tests: Sequence[Test], kills: Counter[str]) -> list[Test]:
    """Return the tests that reach a mutant's lines, the most promising ones first.

    A line that runs at import is reached by each test that runs anything of the module; only
    the first one of a file is seen to. The fastest tests come first, since they are about little
    else; then files take turns, those first that have noticed the most.
    """
    lines = set(mutant.lines)
    found = [one for one in tests if mutant.path in one.lines]
    if not _runs_at_import(mutant):
        found = [one for one in found if lines & one.lines[mutant.path]]
    by_file: dict[str, list[Test]] = defaultdict(list)
    for one in sorted(found, key=lambda one: one.seconds):
        by_file[one.name.partition("::")[0]].append(one)
    turns = [
        (one.seconds > _FAST, turn, -kills[file], one.seconds, one)
        for file, ones in by_file.items()
        for turn, one in enumerate(ones)
    ]
    return [one for *_, one in sorted(turns, key=lambda turn: turn[:4])]


def _runs_at_import(mutant: Mutant) -> bool:
    """Return whether a mutant's lines are in no body of a function."""
    return not any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body[0].lineno <= line <= (node.end_lineno or 0)
        for node in ast.walk(ast.parse(Path(mutant.path).read_text("utf-8")))
        for line in mutant.lines
    )


def _run_tests(mutant: Mutant, tests: Sequence[str], log: str) -> None:
    """Run tests with a mutant in its module's place; called in a process of its own."""
    original = SourceFileLoader.get_code
    path = str(REPOSITORY / mutant.path)

    def get_code(self: SourceFileLoader, name: str) -> CodeType | None:
        if self.path == path:
            return compile(mutant.source, path, "exec")
        return original(self, name)

    setattr(SourceFileLoader, "get_code", get_code)  # noqa: B010 - mypy knows no other way
    with Path(log).open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import pytest  # noqa: PLC0415 - already loaded in this process

    sys.exit(pytest.main(["-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests]))


class Runner:
    """Runs mutants, each in a process forked from one that has everything loaded."""

    def __init__(self, tests: Sequence[Test], budget: float) -> None:
        """Prepare; `budget` is for how many seconds' worth of tests a mutant runs."""
        self._tests = tests
        self._budget = budget
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*PRELOADED])
        self._kills: dict[str, Counter[str]] = defaultdict(Counter)

    def notices(self, mutant: Mutant) -> bool:
        """Return whether a test fails, or takes far too long, with a mutant."""
        kills = self._kills[mutant.path]
        chosen: list[Test] = []
        seconds = 0.0
        for test in tests_for(mutant, self._tests, kills):
            if seconds + test.seconds > self._budget and chosen:
                break
            chosen.append(test)
            seconds += test.seconds
        if not chosen:
            return False
        log = STATE / f"{threading.get_ident()}.log"
        process = self._context.Process(
            target=_run_tests, args=(mutant, [one.name for one in chosen], str(log))
        )
        process.start()
        process.join(60 + 5 * seconds)
        if process.is_alive():
            process.kill()
            process.join()
            return True
        if process.exitcode == 1:
            for line in log.read_text("utf-8", "replace").splitlines():
                if line.startswith(("FAILED ", "ERROR ")):
                    kills[line.split()[1].partition("::")[0]] += 1
        return process.exitcode != 0


# ---- The command ---------------------------------------------------------------------------------


def _test_files(names: Sequence[str]) -> list[Path]:
    """Return the test files with some names, or all that are worth it."""
    if names:
        return [TESTS / name for name in names]
    return [one for one in sorted(TESTS.glob("test_*.py")) if not one.name.startswith(NO_TESTS)]


def _paths(*modules: str) -> list[Path]:
    """Return the files of modules and packages."""
    paths: list[Path] = []
    for module in modules:
        path = INTEGRATION / module
        paths += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return paths


def _run_all(
    mutants: Sequence[Mutant], notices: Callable[[Mutant], bool], jobs: int
) -> dict[str, list[bool]]:
    """Run mutants; print the survivors and keep them for `--survivors`."""
    results: dict[str, list[bool]] = defaultdict(list)
    survivors: list[dict[str, Any]] = []
    with ThreadPoolExecutor(jobs) as pool:
        for mutant, noticed in zip(mutants, pool.map(notices, mutants), strict=True):
            results[mutant.module].append(noticed)
            if not noticed:
                print(f"  {mutant.path}:{mutant.line}: {mutant.change}", flush=True)
                survivors.append({"module": mutant.module, "change": mutant.change})
    SURVIVORS.write_text(json.dumps(survivors, indent=1, ensure_ascii=False), "utf-8")
    return results


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="scripts/test --mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", default=MODULES, help="modules and packages")
    parser.add_argument("--sample", type=int, default=10, help="mistakes per module (10)")
    parser.add_argument("--seed", default="1", help="which ones (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument(
        "--budget",
        type=float,
        default=120,
        help="seconds of tests, as they take with coverage (120)",
    )
    parser.add_argument("--tests", nargs="+", default=(), help="only these files in tests/")
    parser.add_argument("--survivors", action="store_true", help="only those that survived last")
    arguments = parser.parse_args()
    os.chdir(REPOSITORY)
    STATE.mkdir(parents=True, exist_ok=True)
    print("Which test reaches which line", flush=True)
    runner = Runner(measure(_test_files(arguments.tests), arguments.jobs), arguments.budget)
    last: list[dict[str, str]] | None = None
    modules: Iterable[str] = arguments.modules
    if arguments.survivors:
        last = json.loads(SURVIVORS.read_text("utf-8"))
        modules = dict.fromkeys(one["module"] for one in last)
    mutants: list[Mutant] = []
    for path in _paths(*modules):
        found = list(mutants_of(path, arguments.seed))
        if last is not None:
            found = [one for one in found if {"module": one.module, "change": one.change} in last]
        else:
            found = found[: arguments.sample]
        mutants += found
    print(f"{len(mutants)} mistakes; not noticed:", flush=True)
    results = _run_all(mutants, runner.notices, arguments.jobs)
    for module, noticed in results.items():
        print(f"{sum(noticed):5} of {len(noticed):4}  {sum(noticed) / len(noticed):6.1%}  {module}")
    every = [one for noticed in results.values() for one in noticed]
    if every:
        print(f"{sum(every):5} of {len(every):4}  {sum(every) / len(every):6.1%}  in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
