"""The fixtures: where each one's form is known from."""

from __future__ import annotations

from pathlib import Path
import re

FOLDER = Path(__file__).parent / "fixtures"
README = (FOLDER / "README.md").read_text()


def test_each_fixture_is_listed_with_its_source() -> None:
    """The table lists each file once, with what it shows and a source that is explained."""
    files = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*"))
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", README, re.MULTILINE)
    assert [file for file, _, _ in rows] == files
    sources = set(re.findall(r"^\| ([a-z' ]+) \| [^|]+ \|$", README, re.MULTILINE)) - {"source"}
    assert {source for _, _, source in rows} == sources
