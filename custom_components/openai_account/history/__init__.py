"""Daily values as long-term statistics of the recorder.

External statistics of costs and usage, for the account and for each model, project and API
key, with two rows for every UTC day (see `rows`). Everything here needs the recorder.
"""

from __future__ import annotations

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import slugify
from sqlalchemy.exc import SQLAlchemyError

from ..coordinator import COMPLETIONS, OpenAIAccountConfigEntry
from ..statistic_ids import statistic_id
from .importer import Importer
from .measures import COST, COSTS, TOKENS, USAGE
from .recorder import async_read_names

# A slug begins with that much of its name.
_SLUG_START = 20

__all__ = ["COST", "TOKENS", "async_read_slugs", "async_start_history"]


@callback
def async_start_history(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> None:
    """Start to keep the history of an account whose data is there."""
    Importer(hass, entry, COSTS).async_start()
    if entry.runtime_data.opens(COMPLETIONS):
        Importer(hass, entry, USAGE).async_start()


async def async_read_slugs(
    hass: HomeAssistant, entry: OpenAIAccountConfigEntry, measure: str
) -> dict[str, str]:
    """Return the slugs of the names of which a measure has a history, by their names."""
    base = statistic_id(entry, measure)
    try:
        found = await async_read_names(hass)
    except SQLAlchemyError:
        # The account works without a history; new slugs are the same but for old releases.
        return {}
    slugs = {
        name.rpartition(", ")[2]: one.removeprefix(f"{base}_")
        for one, name in found.items()
        if one.startswith(f"{base}_") and ", " in name
    }
    # The identity of another account can begin like this account's statistics.
    return {
        name: slug for name, slug in slugs.items() if slug.startswith(slugify(name)[:_SLUG_START])
    }
