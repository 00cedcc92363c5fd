"""What an account was used for: the line items of a UTC day, and how a day passes.

Costs and usage both come from here. What a line item has cost and counted by a moment is
a function of that moment alone, so that minutes and hours add up to the day exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import date
from functools import cache
import hashlib
import math

from .catalog import VECTOR_STORAGE, meter_of

type JSON = Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None

DAY_SECONDS = 86_400
GIBIBYTE = 1024**3

# How a day passes, by what is used in each of its 24 hours (UTC)
EVENLY = (1,) * 24
ASSISTANT_DAY = (0, 0, 0, 0, 0, 1, 4, 7, 4, 1, 1, 2, 3, 2, 1, 1, 2, 5, 8, 9, 7, 4, 2, 1)
BOT_DAY = (6, 2, 2, 2, 2, 2, 6, 4, 4, 4, 4, 4, 8, 4, 4, 4, 4, 4, 8, 6, 6, 4, 4, 2)
LAPTOP_DAY = (0, 0, 0, 0, 0, 0, 0, 1, 5, 8, 8, 6, 2, 6, 9, 8, 6, 3, 1, 0, 2, 2, 1, 0)


@dataclass(frozen=True, slots=True)
class LineItem:
    """One row of a UTC day's costs, in US cents, and the usage that it was charged for.

    What is None is worked out: the quantity, the requests and the endpoint that counts
    them from the name and the cost. `requests` are those to the model; rows of the same
    model and key come from the same requests, so that the highest number of them counts.

    `hour` is the UTC hour that all of it falls into, `hours` what is used in each of the
    day's hours; without either it is spread evenly over what has passed of the day.
    What is not `billed` is in no costs.
    """

    name: str
    cost: float
    project_id: str | None = "proj_default"
    project_name: str | None = "Default project"
    api_key_id: str | None = None
    _: KW_ONLY
    user_id: str | None = None
    api_source: str = "unlabeled"
    quantity: float | None = None
    unit: str | None = None
    requests: int | None = None
    endpoint: str | None = None
    count: str | None = None
    model: str | None = None
    service_tier: str | None = None
    batch: bool | None = None
    size: str = "1024x1024"
    source: str = "image.generation"
    context_level: str = "medium"
    vector_store_id: str = "vs_SimulatedStore01"
    hour: int | None = None
    hours: tuple[int, ...] | None = None
    billed: bool = True

    @property
    def line_item(self) -> str:
        """The name, as the rows of the official costs call it."""
        return self.name

    def resolved(self) -> LineItem:
        """Return it with nothing left to work out."""
        meter = meter_of(self.name)
        if meter is None:
            return self
        quantity = self.quantity
        if quantity is None:
            quantity = max(0, round(self.cost * meter.per_cent))
        requests = self.requests
        if requests is None:
            requests = max(1, round(quantity / meter.per_request)) if quantity else 0
        return replace(
            self,
            quantity=quantity,
            requests=requests,
            unit=self.unit or meter.unit,
            endpoint=self.endpoint or meter.endpoint,
            count=self.count or meter.count,
            model=self.model or meter.model,
            service_tier=self.service_tier or meter.service_tier,
            batch=meter.batch if self.batch is None else self.batch,
        )

    def used_by(self, second: int, elapsed: int = DAY_SECONDS) -> tuple[float, int]:
        """Return the quantity and the requests from midnight to a second of the day.

        `elapsed` is how much of the day has passed, in seconds. Requests are whole, and
        nothing is used between them.
        """
        part, whole = self._passed(second, elapsed)
        quantity = self.quantity or 0
        if self.requests and isinstance(quantity, int):
            done = self.requests * part // whole
            return quantity * done // self.requests, done
        return quantity * part / whole, 0

    def cost_by(self, second: int, elapsed: int = DAY_SECONDS) -> float:
        """Return the cost from midnight to a second of the day, in US cents."""
        part, whole = self._passed(second, elapsed)
        if part == whole:
            return self.cost
        if self.quantity:
            used, _ = self.used_by(second, elapsed)
            return round(self.cost * used / self.quantity, 6)
        return round(self.cost * part / whole, 6)

    def at(self, elapsed: int) -> LineItem:
        """Return it as it stands when so many seconds of its day have passed."""
        if self.hours is None and self.hour is None:
            return self
        used, requests = self.used_by(elapsed, elapsed)
        return replace(
            self,
            cost=self.cost_by(elapsed, elapsed),
            quantity=used,
            requests=requests,
            hour=None,
            hours=None,
        )

    def _passed(self, second: int, elapsed: int) -> tuple[int, int]:
        """Return how much of the day's use is past at a second, as a fraction's two parts."""
        hours = self.hours
        if hours is None and self.hour is not None:
            hours = tuple(int(hour == self.hour) for hour in range(24))
        if hours is None:
            return (min(second, elapsed), elapsed) if elapsed else (1, 1)
        second = min(second, elapsed)
        if second >= DAY_SECONDS:
            return 1, 1
        hour, rest = divmod(second, 3_600)
        sums = _sums(hours)
        return sums[hour] * 3_600 + hours[hour] * rest, sums[24] * 3_600


@cache
def _sums(hours: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sum(hours[:hour]) for hour in range(25))


def _chance(day: date, name: str) -> float:
    """Return a number from 0 to 1 that is always the same for a day and a name."""
    digest = hashlib.sha256(f"{day.isoformat()} {name}".encode()).digest()
    return int.from_bytes(digest[:4]) / 0xFFFFFFFF


def day_of(streams: Sequence[LineItem], day: date) -> Iterator[LineItem]:
    """Return all that an account uses on a UTC day.

    A stream is a line item of a usual day; weekends are quieter, the year has its seasons,
    and no two days are the same.
    """
    chances: dict[str, float] = {}
    for stream, scale in _scaled(streams, day):
        cost, quantity = _charge(stream, scale, day)
        meter = meter_of(stream.name)
        if meter is None or quantity is None:
            yield replace(stream, cost=cost, quantity=quantity)
            continue
        requests = most = int(quantity)
        if meter.per_request > 1:
            # Rows of one model and key come from the same requests.
            name = f"requests {stream.model} {stream.api_key_id}"
            if name not in chances:
                chances[name] = 0.5 + _chance(day, name)
            requests = max(1, round((stream.requests or 0) * chances[name] * scale))
        yield replace(stream, cost=cost, quantity=quantity, requests=min(requests, most))


def cents_of(streams: Sequence[LineItem], day: date) -> float:
    """Return what an account costs on a UTC day, in US cents: the sum of `day_of`, faster."""
    return math.fsum(
        _charge(stream, scale, day)[0] for stream, scale in _scaled(streams, day) if stream.billed
    )


def _scaled(streams: Sequence[LineItem], day: date) -> Iterator[tuple[LineItem, float]]:
    """Return the streams that are used on a UTC day, and how much more than usually."""
    rhythm = 0.55 if day.weekday() >= 5 else 1.0
    season = 1.0 + 0.35 * math.sin(day.timetuple().tm_yday / 365 * 2 * math.pi)
    scales: dict[str, float] = {}
    for stream in streams:
        name = stream.name
        if name not in scales:
            used = _chance(day, "skip " + name) > 0.08
            scales[name] = rhythm * season * (0.5 + _chance(day, name)) if used else 0.0
        if scale := scales[name]:
            yield stream, scale


def _charge(stream: LineItem, scale: float, day: date) -> tuple[float, float | None]:
    """Return cost and quantity of a line item on one day: whole units at the price of one."""
    if stream.name == VECTOR_STORAGE:
        # 10 US cents a day for each GiB
        hours = vector_store_bytes(day).get(stream.project_id or "", 0) / GIBIBYTE * 24
        return round(hours / 24 * 10, 6), hours
    meter = meter_of(stream.name)
    if meter is None:
        return round(stream.cost * scale, 6), None
    if not stream.billed:
        return 0.0, max(1, round((stream.quantity or 0) * scale))
    quantity = max(1, round(stream.cost * scale * meter.per_cent))
    return round(quantity / meter.per_cent, 6), quantity


def vector_store_bytes(day: date) -> dict[str, int]:
    """Return how much the generated account's vector stores hold on a UTC day, by project."""
    age = (day - date(2024, 1, 1)).days
    return {"proj_default": (180 << 20) + age * (96 << 10), "proj_voice": 24 << 20}
