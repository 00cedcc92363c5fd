"""What the name of a line item stands for: the endpoint that counts it, its unit and price."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

# Costs call this model by its name alone, usage by its name with a date.
DATED_MODELS = {"gpt-5.5": "gpt-5.5-2026-03-01"}

VECTOR_STORAGE = "assistants api | vector storage"

# How many tokens a US cent buys, by the direction that a line item names
_TOKENS = {
    "input": ("input_uncached_tokens", 5_000.0),
    "input_tokens": ("input_uncached_tokens", 5_000.0),
    "cached input": ("input_cached_tokens", 50_000.0),
    "cache write": ("input_cache_write_tokens", 4_000.0),
    "output": ("output_tokens", 800.0),
    "output_tokens": ("output_tokens", 800.0),
}


@dataclass(frozen=True, slots=True)
class Meter:
    """How a line item is counted.

    `endpoint` is the last part of the usage endpoint's path, `count` the field of its
    rows that the quantity goes to, `unit` the `quantity_unit` of costs, `per_cent` how
    much a US cent buys, and `per_request` how much one request to the model uses.
    """

    endpoint: str
    count: str
    unit: str | None
    per_cent: float
    per_request: float = 1.0
    model: str | None = None
    service_tier: str | None = None
    batch: bool | None = None


_TOOLS = {
    "web search tool calls": Meter(
        "web_search_calls", "num_requests", None, 1.0, model="gpt-5-mini"
    ),
    "assistants api | file search": Meter("file_search_calls", "num_requests", None, 4.0),
    "assistants api | code interpreter": Meter(
        "code_interpreter_sessions", "num_sessions", None, 1 / 3
    ),
}

# The models of the other endpoints, by the beginning of their names
_MODELS = {
    "text-embedding": Meter("embeddings", "input_tokens", "tokens", 75_000.0, 400.0),
    "omni-moderation": Meter("moderations", "input_tokens", "tokens", 75_000.0, 150.0),
    "gpt-image": Meter("images", "images", "images", 0.25),
    "dall-e": Meter("images", "images", "images", 0.25),
    "tts": Meter("audio_speeches", "characters", "characters", 650.0, 90.0),
    "whisper": Meter("audio_transcriptions", "seconds", "duration_seconds", 100.0, 4.0),
}


@lru_cache(maxsize=20_000)
def meter_of(name: str) -> Meter | None:
    """Return how a line item is counted; None where its name does not say what it is."""
    if name in _TOOLS:
        return _TOOLS[name]
    tier, _, rest = name.rpartition(" | ")
    model, *directions = (part.strip() for part in rest.split(","))
    for beginning, meter in _MODELS.items():
        if model.startswith(beginning):
            return Meter(
                meter.endpoint, meter.count, meter.unit, meter.per_cent, meter.per_request, model
            )
    if not directions or directions[0] not in _TOKENS:
        return None
    count, per_cent = _TOKENS[directions[0]]
    return Meter(
        "completions",
        count,
        "tokens",
        per_cent,
        1_500.0,
        DATED_MODELS.get(model, model),
        tier if tier == "priority" else "default",
        tier == "batch",
    )
