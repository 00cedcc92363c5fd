"""A page of a documented response, and where the next one is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .parsing import JsonObject, boolean, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Page[ReportT]:
    """What a page reports; `size` is that of its body in bytes."""

    report: ReportT
    has_more: bool
    next_page: str | None
    size: int

    @staticmethod
    def read[ReadT](read: Callable[[JsonObject], ReadT], data: JsonObject) -> Page[ReadT]:
        """Read a page, its report by a function of its own."""
        return Page(
            report=read(data),
            has_more=data.read("has_more", boolean) or False,
            next_page=data.read("next_page", text),
            size=data.size,
        )
