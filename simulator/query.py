"""Checks a request's parameters against the contract: what it does not know is a 400."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
import re

from multidict import MultiMapping

from .contract import Parameter

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FLAGS = {"true": True, "false": False}


class RequestError(Exception):
    """A request that gets an error for a response."""

    def __init__(
        self, message: str, param: str | None = None, status: int = 400, code: str | None = None
    ) -> None:
        """Keep what the error says."""
        super().__init__(message)
        self.message = message
        self.param = param
        self.status = status
        self.code = code


@dataclass(slots=True)
class Query:
    """The parameters of a request, checked; what was not sent is in none of them."""

    integers: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)
    dates: dict[str, date] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def digest(self) -> str:
        """Return a text that is the same for two requests which differ in their page alone."""
        integers = {name: value for name, value in self.integers.items() if name != "limit"}
        texts = {name: value for name, value in self.texts.items() if name != "page"}
        lists = {name: sorted(value) for name, value in self.lists.items()}
        return repr([sorted(one.items()) for one in (integers, texts, self.flags, lists)])

    def digest_of_filters(self) -> str:
        """Return a text that is the same for two requests with the same filters."""
        lists = {name: sorted(value) for name, value in self.lists.items() if name != "group_by"}
        return repr([sorted(lists.items()), sorted(self.flags.items())])


def read_query(query: MultiMapping[str], parameters: Mapping[str, Parameter]) -> Query:
    """Return a request's parameters; raise `RequestError` for what the contract does not know.

    A list's name can be written with `[]` at its end or without, and is repeated.
    """
    sent: dict[str, list[str]] = {}
    for written in dict.fromkeys(query):
        name = written
        if written.endswith("[]") and parameters.get(written[:-2], Parameter("")).kind == "texts":
            name = written[:-2]
        if name not in parameters:
            raise RequestError(f"Unknown parameter: '{written}'.", written)
        sent.setdefault(name, []).extend(query.getall(written))
    for name, parameter in parameters.items():
        if parameter.required and name not in sent:
            raise RequestError(f"Missing required parameter: '{name}'.", name)
    result = Query()
    for name, values in sent.items():
        _read(result, name, parameters[name], values)
    return result


def _read(result: Query, name: str, parameter: Parameter, values: list[str]) -> None:
    """Take in a parameter's values."""
    if parameter.kind == "texts":
        for value in values:
            _check_text(name, parameter, value)
        result.lists[name] = tuple(dict.fromkeys(values))
        return
    if len(values) > 1:
        raise RequestError(f"Parameter '{name}' was sent {len(values)} times.", name)
    [value] = values
    try:
        if parameter.kind == "integer":
            result.integers[name] = _integer(parameter, value)
        elif parameter.kind == "flag":
            result.flags[name] = _FLAGS[value]
        elif parameter.kind == "date":
            result.dates[name] = date.fromisoformat(value)
        else:
            _check_text(name, parameter, value)
            result.texts[name] = value
    except (KeyError, ValueError) as err:
        raise RequestError(
            f"Invalid value for '{name}': not of type {parameter.kind}.", name
        ) from err


def _integer(parameter: Parameter, value: str) -> int:
    if not _INTEGER.fullmatch(value) or not parameter.minimum <= int(value) <= parameter.maximum:
        raise ValueError(value)
    return int(value)


def _check_text(name: str, parameter: Parameter, value: str) -> None:
    if not value or (parameter.choices and value not in parameter.choices):
        expected = ", ".join(sorted(parameter.choices)) or "some text"
        raise RequestError(f"Invalid value for '{name}': expected {expected}.", name)
