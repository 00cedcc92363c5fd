"""Documented responses of several pages: buckets of time, and lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from .errors import InvalidResponseError, KeyKind, ResponseTooLargeError
from .parsing import JsonObject, boolean, page_cursor
from .response import MAX_BODY
from .transport import V1, Query, Transport

# A page holds at least a bucket; what continues for much longer never ends.
_MAX_PAGES: Final = 200

# A page of a list holds so many objects, and a list so many pages.
_LIST_LIMIT: Final = 100
_LIST_PAGES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page[ReportT]:
    """What a page reports; `size` is that of its body in bytes."""

    report: ReportT
    has_more: bool
    next_page: str | None
    size: int


def _read_page[ReportT](read: Callable[[JsonObject], ReportT], data: JsonObject) -> _Page[ReportT]:
    return _Page(
        report=read(data),
        has_more=data.read("has_more", boolean) is True,
        next_page=data.read("next_page", page_cursor),
        size=data.size,
    )


async def fetch_pages[ReportT](
    transport: Transport,
    path: str,
    query: Query,
    read: Callable[[JsonObject], ReportT],
    *,
    variant: str = "",
) -> list[ReportT]:
    """Fetch all pages of buckets with an admin key; return what each reports.

    `read` must depend on nothing but the query, the `variant` and the response. Raises
    `InvalidResponseError` for pages that do not end, and `ResponseTooLargeError`.
    """
    pages: list[_Page[ReportT]] = []
    cursors: set[str] = set()
    cursor: str | None = None
    while True:
        page = await transport.fetch(
            path,
            partial(_read_page, read),
            (*query, ("page", cursor)) if cursor else query,
            V1,
            KeyKind.ADMIN,
            page=len(pages),
            variant=variant,
        )
        pages.append(page)
        if not page.has_more:
            return [page.report for page in pages]
        cursor = page.next_page
        if cursor is None or cursor in cursors or len(pages) > _MAX_PAGES:
            raise InvalidResponseError("The pages of the response do not end")
        if sum(page.size for page in pages) > MAX_BODY:
            raise ResponseTooLargeError("The pages of the response are too large")
        cursors.add(cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ListPage[RowT]:
    rows: tuple[RowT, ...]
    has_more: bool
    last_id: str | None


def _read_list_page[RowT](
    read_row: Callable[[JsonObject], RowT | None], data: JsonObject
) -> _ListPage[RowT]:
    if not data.holds_list("data"):
        raise InvalidResponseError("The response has no list")
    return _ListPage(
        rows=tuple(row for one in data.rows("data") if (row := read_row(one)) is not None),
        has_more=data.read("has_more", boolean) is True,
        last_id=data.read("last_id", page_cursor),
    )


async def fetch_list[RowT](
    transport: Transport,
    path: str,
    read_row: Callable[[JsonObject], RowT | None],
    query: Query = (),
    *,
    part: str = "",
) -> tuple[RowT, ...]:
    """Fetch all pages of a list with an admin key; return the rows that can be read.

    `part` is the id that stands for `{id}` in the path. Raises `InvalidResponseError` for
    pages that do not end.
    """
    found: list[RowT] = []
    last: str | None = None
    for page_number in range(_LIST_PAGES):
        page = await transport.fetch(
            path,
            partial(_read_list_page, read_row),
            (*query, ("limit", str(_LIST_LIMIT)), *((("after", last),) if last else ())),
            V1,
            KeyKind.ADMIN,
            part=part,
            page=page_number,
        )
        found += page.rows
        if not page.has_more:
            return tuple(found)
        before, last = last, page.last_id
        if last is None or last == before:
            break
    raise InvalidResponseError("The pages of the list do not end")
