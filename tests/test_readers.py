"""Single values, and what the readers of responses make of them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
import math
import time
from typing import Any

import pytest

from custom_components.openai_account import api
from custom_components.openai_account.api import (
    InvalidResponseError,
    NamedObject,
    Subscription,
    round_usd,
)
from custom_components.openai_account.api.parsing import (
    JsonObject,
    boolean,
    cents,
    decimal,
    identifier,
    moment,
    number,
    page_cursor,
    text,
    whole,
)
from custom_components.openai_account.api.projects import oldest_project

from .const import NOW

DAY = timedelta(days=1)


def json_object(data: dict[str, Any]) -> tuple[JsonObject, list[str]]:
    """Return an object, and the names of its fields that could not be read so far."""
    unreadable: list[str] = []
    return JsonObject(data, unreadable.append), unreadable


def test_what_was_read_cannot_be_changed() -> None:
    """What the client returns can be shared by many, since nobody can change it."""
    found = [one for one in vars(api).values() if isinstance(one, type) and is_dataclass(one)]
    assert len(found) > 8
    for one in found:
        empty = object.__new__(one)
        for field in fields(one):
            with pytest.raises(FrozenInstanceError):
                setattr(empty, field.name, None)


# ---- Single values -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "read"),
    [
        *((0, "0"), (-3, "-3"), (0.1, "0.1"), ("1.50", "1.50"), (" 7 ", "7"), ("1e2", "100")),
        *((10**15, "1e15"), (-(10**15), "-1e15"), (10**15 + 1, None), (-(10**15) - 1, None)),
        *((True, None), (False, None), (None, None), ([], None), ({}, None), ("", None)),
        *(("1_000", None), ("\u0661", None), ("NaN", None), ("sNaN", None), ("-Infinity", None)),
        *((math.nan, None), (math.inf, None), ("12 USD", None), ("1e999999999999999999", None)),
        ("0" * 399 + "1", "1"),
        ("0" * 400 + "1", None),
    ],
)
def test_decimal(value: Any, read: str | None) -> None:
    """An amount is a finite number of a reasonable size, or a text of one."""
    assert decimal(value) == (None if read is None else Decimal(read))
    assert number(value) == (None if read is None else float(read))
    assert cents(value) == (None if read is None else float(Decimal(read) / 100))


@pytest.mark.parametrize(
    ("value", "read"),
    [(0, 0), (1, 1), (2.9, 2), ("3", 3), (-1, None), (-0.5, None), (None, None), ("x", None)],
)
def test_whole(value: Any, read: int | None) -> None:
    """A count is a number that is not negative, without its fraction."""
    assert whole(value) == read


@pytest.mark.parametrize("value", [True, False, 0, 1, "true", None])
def test_boolean(value: Any) -> None:
    """Only what is a boolean in JSON is one."""
    assert boolean(value) is (value if value in (True, False) and type(value) is bool else None)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        *(("a", "a"), ("  a \n\t b ", "a b"), ("a\x07b", "a b"), ("\u200b", None), (" ", None)),
        *((3, None), (None, None), ([], None), ("", None)),
        *(("x" * 255, "x" * 255), ("x" * 256, "x" * 255), ("x" * 254 + " y", "x" * 254)),
        *((" " * 1019 + "x", "x"), (" " * 1020 + "x", None)),
    ],
)
def test_text(value: Any, read: str | None) -> None:
    """A text is one line that can be shown, of 255 characters at most."""
    assert text(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        *(("org-1", "org-1"), (" org-1 ", "org-1"), ("\u00e9", None), ("", None), (1, None)),
        *(("x" * 100, "x" * 100), ("x" * 101, None)),
    ],
)
def test_identifier(value: Any, read: str | None) -> None:
    """An id has 100 characters of ASCII at most."""
    assert identifier(value) == read


@pytest.mark.parametrize("value", ["a", " a ", "\u00e9", "x" * 2000])
def test_page_cursor(value: str) -> None:
    """What tells pages apart is used as it is."""
    assert page_cursor(value) == value


@pytest.mark.parametrize("value", ["", "a\n", "x" * 2001, 1, None, []])
def test_page_cursor_that_is_none(value: Any) -> None:
    """What cannot be sent back tells nothing."""
    assert page_cursor(value) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        *((1, "1970-01-01T00:00:01"), (0.5, "1970-01-01T00:00:00"), (0, None), (-1, None)),
        *((1.9, "1970-01-01T00:00:01"), ("1795000000", "2026-11-18T11:06:40")),
        *((253_402_300_799.5, "9999-12-31T23:59:59"), (253_402_300_800, None), (10**15, None)),
        ("2026-11-18T12:06:40+01:00", "2026-11-18T11:06:40"),
        (" 2026-11-18 ", "2026-11-18T00:00:00"),
        *(("soon", None), ("", None), (None, None), (True, None), ([], None)),
        ("0001-01-01T00:00:00+01:00", None),
    ],
)
def test_moment(monkeypatch: pytest.MonkeyPatch, value: Any, read: str | None) -> None:
    """A time is read in UTC, whatever the machine's time zone."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        found = moment(value)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == (None if read is None else datetime.fromisoformat(f"{read}+00:00"))
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        *((0.1 + 0.2, "0.3"), (1.2345674, "1.234567"), (1.2345676, "1.234568"), (-1.0, "-1.0")),
        *((-0.0, "0.0"), (-1e-9, "0.0"), (None, "None")),
    ],
)
def test_round_usd(amount: float | None, rounded: str) -> None:
    """An amount is shown to a millionth of a dollar, and nothing is never negative."""
    assert str(round_usd(amount)) == rounded


# ---- Objects -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "names"),
    [
        *((12, []), ("", []), (0, []), (None, []), ([], []), ({}, [])),
        *(("x", ["one"]), (False, ["one"]), (True, ["one"]), ([1], ["one"])),
    ],
)
def test_unreadable_field_is_named(value: Any, names: list[str]) -> None:
    """A wrong value is named; an empty one is none, except for a `false` that is no answer."""
    data, unreadable = json_object({"one": value})
    assert data.read("one", number) == (value if value in (12, 0) and value is not False else None)
    assert data.read("other", number) is None
    assert unreadable == names


@pytest.mark.parametrize(
    ("value", "rows", "names"),
    [
        *((None, 0, []), ([], 0, []), ([{}, {}], 2, []), ([{}, 7, {}], 2, ["one"])),
        *(({}, 0, ["one"]), (7, 0, ["one"]), ("ab", 0, ["one"]), (False, 0, ["one"])),
    ],
)
def test_rows(value: Any, rows: int, names: list[str]) -> None:
    """Rows are the objects of a list; anything else is named."""
    data, unreadable = json_object({"one": value})
    assert len(data.rows("one")) == rows
    assert data.rows("other") == []
    assert unreadable == names
    assert data.holds_list("one") is isinstance(value, list)
    assert not data.holds_list("other")
    assert data.names() == {"one"}


@pytest.mark.parametrize(
    ("value", "names"),
    [({"a": 1}, []), ({}, []), (None, []), ("x", ["one"]), ([1], ["one"]), ([], [])],
)
def test_object_inside(value: Any, names: list[str]) -> None:
    """An object inside another one names its wrong fields, too."""
    data, unreadable = json_object({"one": value})
    inside = data.inside("one")
    assert (inside is not None) is isinstance(value, dict)
    assert data.inside("other") is None
    assert unreadable == names
    if inside:
        assert inside.read("a", boolean) is None
        assert unreadable == list(value)


# ---- Projects and keys -------------------------------------------------------------------------


@pytest.mark.parametrize("one", ["proj_1", "A-z_09", "x" * 100])
def test_named_object(one: str) -> None:
    """A row has an id, a name and a time; the latter two may be missing."""
    row = {"id": one, "name": "Attic", "created_at": NOW.timestamp()}
    assert NamedObject.read(json_object(row)[0]) == NamedObject(one, "Attic", NOW)
    assert NamedObject.read(json_object({"id": one})[0]) == NamedObject(one, None, None)


@pytest.mark.parametrize("one", [None, "", 7, "a/b", "..", "a b", "\u00e9", "x" * 101])
def test_row_without_an_id(one: Any) -> None:
    """What cannot be part of a path is no id."""
    assert NamedObject.read(json_object({"id": one, "name": "Attic"})[0]) is None


def test_oldest_project() -> None:
    """The oldest project is the one that was created first, or has the first id."""
    projects = [
        NamedObject("proj_0", None, None),
        NamedObject("proj_3", "a", NOW),
        NamedObject("proj_2", "b", NOW - DAY),
        NamedObject("proj_1", "c", NOW - DAY),
    ]
    assert oldest_project(projects) == "proj_1"
    assert oldest_project(projects[:3]) == "proj_2"
    assert oldest_project(projects[:1]) is None


# ---- Subscription ------------------------------------------------------------------------------


def subscription(**data: Any) -> Subscription:
    return Subscription.read(json_object(data)[0])


@pytest.mark.parametrize("limit", [0, 120, 99_999_999, 100_000_001])
def test_limit(limit: int) -> None:
    """A limit is a number of dollars."""
    names = ("soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd")
    found = subscription(**dict.fromkeys(names, limit))
    assert [getattr(found, name) for name in names] == [limit] * 3
    assert not found.unlimited


@pytest.mark.parametrize("limit", [100_000_000, "100000000.00"])
@pytest.mark.parametrize("name", ["soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd"])
def test_no_limit(name: str, limit: Any) -> None:
    """A number that gateways use stands for no limit."""
    found = subscription(**{name: limit})
    assert getattr(found, name) is None
    assert found.unlimited is (name == "hard_limit_usd")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        *(("DE1", "DE1"), ({"value": "DE1"}, "DE1"), (["DE1", {"value": "GB2"}], "DE1, GB2")),
        *(([None, "", 7, {}, "GB2"], "GB2"), ([], None), (None, None), ({"type": "x"}, None)),
        ([str(one) for one in range(10, 31)], ", ".join(str(one) for one in range(10, 30))),
    ],
)
def test_tax_ids(value: Any, read: str | None) -> None:
    """Tax ids are one line, of 20 at most."""
    assert subscription(tax_ids=value).tax_ids == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"country": "DE", "city": "Ulm", "line1": "Weg 1", "line2": None}, "Weg 1, Ulm, DE"),
        *(({}, None), (None, None), ("Weg 1", None), ({"city": 7}, None)),
    ],
)
def test_address(value: Any, read: str | None) -> None:
    """An address is one line, of the parts that it has."""
    assert subscription(billing_address=value).billing_address == read


def test_fields_of_a_subscription() -> None:
    """What a response reports are its known fields, null or not; without any it is none."""
    found = subscription(plan={"title": "Pro", "id": "pro"}, canceled=None, other=1)
    assert (found.plan, found.plan_id, found.canceled) == ("Pro", "pro", None)
    assert found.reported == {"plan", "canceled"}
    assert subscription(canceled=True).plan is None
    for data in ({}, {"other": 1}, {"unlimited": True, "reported": []}):
        with pytest.raises(InvalidResponseError):
            subscription(**data)
