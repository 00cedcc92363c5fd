"""What was used on each UTC day, by the documented endpoints `organization/usage/…`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import Final, Self

from .errors import InvalidResponseError
from .parsing import JsonObject, moment, text, whole

# The API returns so many buckets of a width at most.
MAX_DAILY_BUCKETS: Final = 31
MAX_HOURLY_BUCKETS: Final = 168

# What rows can be grouped by, as the API calls it
MODEL: Final = "model"
PROJECT: Final = "project_id"
API_KEY: Final = "api_key_id"

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Counts of some time. Input tokens include cached ones, as OpenAI counts.

    `requests` are those to models, `seconds` are of transcribed audio, and
    `vector_store_bytes` is what the vector stores hold: a level, which is not added up.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0
    images: int = 0
    characters: int = 0
    seconds: int = 0
    web_searches: int = 0
    file_searches: int = 0
    code_interpreter_sessions: int = 0
    vector_store_bytes: int = 0

    @property
    def tokens(self) -> int:
        """Input and output tokens."""
        return self.input_tokens + self.output_tokens

    @classmethod
    def sum(cls, parts: Iterable[Usage]) -> Usage:
        """Return the sums of several counts, or the last level."""
        rows = [_COUNTS(part) for part in parts]
        if not rows:
            return NOTHING
        sums = dict(zip(_NAMES, map(sum, zip(*rows, strict=True)), strict=True))
        return cls(**{**sums, _LEVEL: rows[-1][-1]})


_NAMES = tuple(one.name for one in fields(Usage))
_LEVEL = "vector_store_bytes"
_COUNTS: Callable[[Usage], tuple[int, ...]] = attrgetter(*_NAMES)

NOTHING: Final = Usage()


@dataclass(frozen=True, slots=True)
class UsageEndpoint:
    """An endpoint: the last part of its path, what its rows count, and their dimensions.

    `counts` are the names of `Usage` by the names of the API.
    """

    name: str
    counts: Mapping[str, str]
    dimensions: frozenset[str] = frozenset({MODEL, PROJECT, API_KEY})

    @property
    def has_tokens(self) -> bool:
        """Whether it counts tokens."""
        return "input_tokens" in self.counts

    @property
    def has_requests(self) -> bool:
        """Whether it counts requests to models."""
        return "num_model_requests" in self.counts


_REQUESTS = {"num_model_requests": "requests"}
_TOKENS = {"input_tokens": "input_tokens", **_REQUESTS}

COMPLETIONS: Final = UsageEndpoint(
    "completions",
    {
        **_TOKENS,
        "input_cached_tokens": "cached_input_tokens",
        "output_tokens": "output_tokens",
    },
)

USAGE_ENDPOINTS: Final = (
    COMPLETIONS,
    UsageEndpoint("embeddings", _TOKENS),
    UsageEndpoint("moderations", _TOKENS),
    UsageEndpoint("images", {"images": "images", **_REQUESTS}),
    UsageEndpoint("audio_speeches", {"characters": "characters", **_REQUESTS}),
    UsageEndpoint("audio_transcriptions", {"seconds": "seconds", **_REQUESTS}),
    UsageEndpoint("web_search_calls", {"num_requests": "web_searches", **_REQUESTS}),
    UsageEndpoint(
        "file_search_calls", {"num_requests": "file_searches"}, frozenset({PROJECT, API_KEY})
    ),
    UsageEndpoint(
        "code_interpreter_sessions",
        {"num_sessions": "code_interpreter_sessions"},
        frozenset({PROJECT}),
    ),
    UsageEndpoint("vector_stores", {"usage_bytes": _LEVEL}, frozenset({PROJECT})),
)


@dataclass(frozen=True, slots=True)
class DayUsage:
    """The usage of one UTC day: in total and, where it was requested, by name or id.

    What has no model, project or API key is in the total alone.
    """

    total: Usage = NOTHING
    models: Mapping[str, Usage] = field(default_factory=dict)
    projects: Mapping[str, Usage] = field(default_factory=dict)
    api_keys: Mapping[str, Usage] = field(default_factory=dict)

    @classmethod
    def sum(cls, parts: Iterable[DayUsage]) -> DayUsage:
        """Return the sums of several."""
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        return cls(
            Usage.sum(one.total for one in parts),
            sum_by_name(one.models for one in parts),
            sum_by_name(one.projects for one in parts),
            sum_by_name(one.api_keys for one in parts),
        )


def sum_by_name(parts: Iterable[Mapping[str, Usage]]) -> dict[str, Usage]:
    """Return the sums of several mappings of names to counts."""
    found: dict[str, list[Usage]] = {}
    for part in parts:
        for name, usage in part.items():
            found.setdefault(name, []).append(usage)
    return {
        name: usages[0] if len(usages) == 1 else Usage.sum(usages) for name, usages in found.items()
    }


class _Rows:
    """Adds up the rows of one day or hour."""

    def __init__(self, endpoint: UsageEndpoint) -> None:
        self._endpoint = endpoint
        self._total: dict[str, int] = {}
        # By dimension and name
        self._parts: dict[str, dict[str, dict[str, int]]] = {
            one: {} for one in (MODEL, PROJECT, API_KEY)
        }

    def add(self, row: JsonObject) -> None:
        """Add a row."""
        sums = [self._total]
        for dimension, names in self._parts.items():
            if name := row.read(dimension, text):
                sums.append(names.setdefault(name[:200], {}))
        for field_name, name in self._endpoint.counts.items():
            if count := row.read(field_name, whole):
                for one in sums:
                    one[name] = one.get(name, 0) + count

    def day(self) -> DayUsage:
        """Return the sums; what counted nothing is left out."""
        models, projects, api_keys = (
            {name: Usage(**counts) for name, counts in self._parts[one].items() if counts}
            for one in (MODEL, PROJECT, API_KEY)
        )
        return DayUsage(Usage(**self._total), models, projects, api_keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """The usage of the UTC days from `start` to `today`, both included.

    A day that is not in `days` has no usage. `last_24_hours` is the usage since the start of the
    hour 23 hours ago, None where it was not requested by the hour. `complete` is always True:
    the endpoints report days, or nothing.
    """

    start: date
    today: date
    days: Mapping[date, DayUsage] = field(default_factory=dict)
    last_24_hours: Usage | None = None
    complete: bool = True
    # Added up once, since the sensors of hundreds of models need it.
    models_this_month: Mapping[str, Usage] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Add up the usage of each model in the current UTC month."""
        object.__setattr__(self, "models_this_month", self.models_in_month(self.today))

    @classmethod
    def read(
        cls,
        endpoint: UsageEndpoint,
        data: JsonObject,
        start: date,
        today: date,
        now: datetime | None = None,
    ) -> Self:
        """Read daily buckets, or hourly ones up to the hour of `now`.

        Buckets outside the requested days are left out.
        """
        days: dict[date, _Rows] = {}
        hours: dict[datetime, _Rows] = {}
        if not data.holds_list("data"):
            raise InvalidResponseError("The response has no usage")
        for bucket in data.rows("data"):
            time = bucket.read("start_time", moment)
            if time is None or not start <= time.date() <= today:
                continue
            for row in bucket.rows("results"):
                days.setdefault(time.date(), _Rows(endpoint)).add(row)
                if now is not None:
                    hours.setdefault(time, _Rows(endpoint)).add(row)
        read = {day: rows.day() for day, rows in sorted(days.items())}
        return cls(
            start=start,
            today=today,
            days={day: usage for day, usage in read.items() if usage.total != NOTHING},
            last_24_hours=_last_24_hours(hours, now) if now else None,
        )

    @staticmethod
    def joined(parts: Sequence[UsageReport]) -> UsageReport:
        """Return one report of all parts of a response, which are in order."""
        if len(parts) == 1:
            return parts[0]
        days: dict[date, list[DayUsage]] = {}
        for part in parts:
            for day, usage in part.days.items():
                days.setdefault(day, []).append(usage)
        hours = [part.last_24_hours for part in parts if part.last_24_hours is not None]
        return replace(
            parts[-1],
            start=parts[0].start,
            days={day: DayUsage.sum(found) for day, found in sorted(days.items())},
            last_24_hours=Usage.sum(hours) if hours else None,
        )

    @classmethod
    def sum(cls, reports: Sequence[UsageReport]) -> UsageReport:
        """Return the sums of the days that all of some reports cover."""
        start = max(one.start for one in reports)
        today = min(one.today for one in reports)
        days: dict[date, list[DayUsage]] = {}
        for report in reports:
            for day, usage in report.days.items():
                if start <= day <= today:
                    days.setdefault(day, []).append(usage)
        return cls(
            start=start,
            today=today,
            days={day: DayUsage.sum(parts) for day, parts in sorted(days.items())},
        )

    @property
    def month_start(self) -> date:
        """The first day of the current UTC month."""
        return self.today.replace(day=1)

    @property
    def last_days_of_models(self) -> dict[str, date]:
        """The last UTC day on which each model was used."""
        return {name: day for day in sorted(self.days) for name in self.days[day].models}

    @property
    def usage_today(self) -> Usage:
        """The usage of the current UTC day so far."""
        return self.days.get(self.today, _NO_DAY).total

    @property
    def vector_store_bytes(self) -> int:
        """The size on the last UTC day that has one: just after midnight, that is yesterday."""
        days = (self.days[day].total for day in (self.today, self.today - _DAY) if day in self.days)
        return next((one.vector_store_bytes for one in days if one.vector_store_bytes), 0)

    @property
    def usage_this_month(self) -> Usage | None:
        """The usage of the current UTC month so far; None if not all of it was requested."""
        if self.start > self.month_start:
            return None
        return Usage.sum(usage.total for day, usage in self.days.items() if day >= self.month_start)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was used on any day."""
        return not self.days

    def models_in_month(self, today: date) -> dict[str, Usage]:
        """Return the usage of each model in a day's UTC month, up to that day."""
        first = today.replace(day=1)
        return sum_by_name(
            usage.models for day, usage in self.days.items() if first <= day <= today
        )


_NO_DAY = DayUsage()


def _last_24_hours(hours: Mapping[datetime, _Rows], now: datetime) -> Usage:
    """Return the usage of the current hour and of the 23 before it."""
    first = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - 23 * _HOUR
    return Usage.sum(rows.day().total for hour, rows in hours.items() if hour >= first)
