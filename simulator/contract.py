"""The documented endpoints: which parameters they take, and what a row of theirs holds.

The source is the contract that OpenAI's own client is generated from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Seconds of a bucket, by the name of its width
WIDTHS = {"1m": 60, "1h": 3_600, "1d": 86_400}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a request.

    `kind` is `integer`, `text`, `flag`, `date`, or `texts` for one that can be repeated.
    """

    kind: str
    choices: frozenset[str] = frozenset()
    required: bool = False
    minimum: int = 0
    maximum: int = 253_402_300_799


@dataclass(frozen=True, slots=True)
class BucketEndpoint:
    """An endpoint whose response is a page of buckets.

    `dimensions` are what `group_by` takes, `filters` the dimension that each filter's
    parameter selects by, `limits` the default and the highest number of buckets by their
    width, and `counts` the fields of a row that hold figures.
    """

    object: str
    dimensions: tuple[str, ...]
    filters: Mapping[str, str]
    counts: tuple[str, ...] = ()
    limits: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"1m": (60, 1_440), "1h": (24, 168), "1d": (7, 31)}
    )
    choices: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def parameters(self) -> dict[str, Parameter]:
        """Return the parameters that the endpoint takes."""
        found = {
            "start_time": Parameter("integer", required=True),
            "end_time": Parameter("integer"),
            "bucket_width": Parameter("text", frozenset(self.limits)),
            "group_by": Parameter("texts", frozenset(self.dimensions)),
            "limit": Parameter("integer"),
            "page": Parameter("text"),
        }
        for name in self.filters:
            kind = "flag" if name == "batch" else "texts"
            found[name] = Parameter(kind, self.choices.get(name, frozenset()))
        return found


_BY_KEY = ("project_id", "user_id", "api_key_id")
_BY_MODEL = (*_BY_KEY, "model")
_KEY_FILTERS = {"project_ids": "project_id", "user_ids": "user_id", "api_key_ids": "api_key_id"}
_MODEL_FILTERS = _KEY_FILTERS | {"models": "model"}
_PROJECT_FILTERS = {"project_ids": "project_id"}

COSTS = BucketEndpoint(
    "organization.costs.result",
    ("project_id", "user_id", "line_item", "api_key_id", "api_source"),
    {"project_ids": "project_id", "api_key_ids": "api_key_id", "line_items": "line_item"},
    limits={"1d": (7, 180)},
)


def _usage(
    name: str,
    dimensions: tuple[str, ...],
    filters: Mapping[str, str],
    *counts: str,
    **choices: frozenset[str],
) -> BucketEndpoint:
    return BucketEndpoint(
        f"organization.usage.{name}.result", dimensions, filters, counts, choices=choices
    )


USAGE: dict[str, BucketEndpoint] = {
    "completions": _usage(
        "completions",
        (*_BY_MODEL, "batch", "service_tier", "api_source"),
        _MODEL_FILTERS | {"batch": "batch"},
        *("input_tokens", "output_tokens", "num_model_requests"),
    ),
    "embeddings": _usage(
        "embeddings", _BY_MODEL, _MODEL_FILTERS, "input_tokens", "num_model_requests"
    ),
    "moderations": _usage(
        "moderations", _BY_MODEL, _MODEL_FILTERS, "input_tokens", "num_model_requests"
    ),
    "images": _usage(
        "images",
        (*_BY_MODEL, "size", "source"),
        _MODEL_FILTERS | {"sizes": "size", "sources": "source"},
        *("images", "num_model_requests"),
        sizes=frozenset(("256x256", "512x512", "1024x1024", "1792x1792", "1024x1792")),
        sources=frozenset(("image.generation", "image.edit", "image.variation")),
    ),
    "audio_speeches": _usage(
        "audio_speeches", _BY_MODEL, _MODEL_FILTERS, "characters", "num_model_requests"
    ),
    "audio_transcriptions": _usage(
        "audio_transcriptions", _BY_MODEL, _MODEL_FILTERS, "seconds", "num_model_requests"
    ),
    "web_search_calls": _usage(
        "web_searches",
        (*_BY_MODEL, "context_level", "api_source"),
        _MODEL_FILTERS | {"context_levels": "context_level"},
        *("num_requests", "num_model_requests"),
        context_levels=frozenset(("low", "medium", "high")),
    ),
    "file_search_calls": _usage(
        "file_searches",
        (*_BY_KEY, "vector_store_id"),
        _KEY_FILTERS | {"vector_store_ids": "vector_store_id"},
        "num_requests",
    ),
    "code_interpreter_sessions": _usage(
        "code_interpreter_sessions", ("project_id",), _PROJECT_FILTERS, "num_sessions"
    ),
    "vector_stores": _usage("vector_stores", ("project_id",), _PROJECT_FILTERS, "usage_bytes"),
}

_PAGE = {"after": Parameter("text"), "limit": Parameter("integer", minimum=1, maximum=100)}
_DATES = {
    "start_date": Parameter("date", required=True),
    "end_date": Parameter("date", required=True),
}

# The parameters of every endpoint, by the name that faults and requests call it
PARAMETERS: dict[str, dict[str, Parameter]] = {
    "credit_grants": {},
    "usage": _DATES
    | {"exclude_project_costs": Parameter("flag"), "new_endpoint": Parameter("flag")},
    "subscription": _DATES,
    "me": {},
    "costs": COSTS.parameters(),
    "spend_limit": {},
    "projects": _PAGE | {"include_archived": Parameter("flag")},
    "api_keys": _PAGE
    | {"owner_project_access": Parameter("text", frozenset(("active", "inactive", "any")))},
    "project_spend_limit": {},
    "admin_api_keys": _PAGE | {"order": Parameter("text", frozenset(("asc", "desc")))},
    **{f"usage/{name}": one.parameters() for name, one in USAGE.items()},
}

# What each kind of key opens at OpenAI
SESSION_ENDPOINTS = ("credit_grants", "usage", "subscription", "me")
ADMIN_ENDPOINTS = tuple(name for name in PARAMETERS if name not in SESSION_ENDPOINTS)
ENDPOINTS = tuple(PARAMETERS)
