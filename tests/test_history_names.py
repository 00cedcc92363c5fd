"""The ids and names of statistics: by the name alone, and for whom."""

from __future__ import annotations

from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.models import StatisticMeanType, StatisticMetaData
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_list_statistic_ids,
)
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from sqlalchemy.exc import OperationalError

from custom_components.openai_account.const import CONF_SESSION_KEY, DOMAIN
from custom_components.openai_account.history import COST, async_read_slugs
from simulator import LineItem

from .common import (
    RunningSimulator,
    fill_history,
    history_rows,
    poll,
    recorder_is_done,
    setup_entry,
)
from .const import KEY, NOW, ORGANIZATION
from .history import (
    ACCOUNT,
    DAY,
    PROJECT,
    TODAY,
    Ledger,
    add_former_rows,
    check_rows,
    dollars,
    former_store,
    ledger,
)

pytestmark = [pytest.mark.usefixtures("recorder_mock"), pytest.mark.freeze_time(NOW)]

LONG = "ft:gpt-4o-mini-2024-07-18:example-organization:a-long-suffix-of-mine:"
# Of one slug, of no letters, or too long: each of them is a model of its own.
ODD = (
    *("gpt-5.5", "gpt 5.5", "GPT_5_5", "gpt-5-5", "例え", "???", "!!!"),
    *("web search tool calls", "web-search-tool-calls", f"{LONG}AbCdEf12", f"{LONG}AbCdEf13"),
)


async def names(hass: HomeAssistant) -> dict[str, str]:
    """Return the names of this integration's statistics by their ids."""
    await recorder_is_done(hass)
    return {
        one["statistic_id"]: one["name"]
        for one in await async_list_statistic_ids(hass)
        if one["source"] == DOMAIN
    }


def added_again(entry: MockConfigEntry) -> MockConfigEntry:
    """Return an entry for the same account, as if it was added once more."""
    return MockConfigEntry(
        domain=DOMAIN, title=entry.title, unique_id=entry.unique_id, data=dict(entry.data)
    )


async def test_odd_names(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Names of odd letters, of many, or alike have histories of their own, and sensible slugs."""
    book = simulator.account.ledger = {
        TODAY - offset * DAY: [
            LineItem(f"{name}, input", 100.0 * (rank + 1)) for rank, name in enumerate(ODD)
        ]
        for offset in range(50)
    }
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    check_rows(found, book)
    models = [one for key, one in found.items() if key.startswith(f"{ACCOUNT}_")]
    assert sorted(one[TODAY][0] for one in models) == [float(rank + 1) for rank in range(len(ODD))]
    # What people really use has slugs that they can read.
    assert {f"{ACCOUNT}_gpt_5_5", f"{ACCOUNT}_web_search_tool_calls"} < found.keys()
    assert found[f"{ACCOUNT}_gpt_5_5"][TODAY][0] == 1.0


@pytest.mark.parametrize("first", ["gpt-4o", "GPT-4o", f"{LONG}AbCdEf13"])
async def test_who_came_first(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    first: str,
) -> None:
    """Which of two names alike is seen first makes no difference to their slugs."""
    models = ("gpt-4o", "GPT-4o", f"{LONG}AbCdEf12", f"{LONG}AbCdEf13")
    book = simulator.account.ledger = ledger(20, models)
    book[TODAY] = [LineItem(first, 100.0)]
    await setup_entry(hass, entry)
    await fill_history(hass, freezer, 2)
    slugs = {
        name.rpartition(", ")[2]: one.removeprefix(f"{ACCOUNT}_")
        for one, name in (await names(hass)).items()
        if one.startswith(f"{ACCOUNT}_")
    }
    cut = "ft_gpt_4o_mini_2024_07_18_example_organization_a_long_suffix"
    assert slugs == {
        "gpt-4o": "gpt_4o",
        "GPT-4o": "gpt_4o_9b816f4a",
        models[2]: f"{cut}_1952628a",
        models[3]: f"{cut}_90f66b8c",
    }


async def test_added_again(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """History stays when the account is removed, and continues when it is added again."""
    book = simulator.account.ledger = ledger(120, ODD)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    before = await history_rows(hass)
    entities = {one.unique_id for one in er.async_get(hass).entities.values()}
    await hass.config_entries.async_remove(entry.entry_id)
    assert await history_rows(hass) == before
    # The names are seen in another order now.
    book[TODAY] = [*reversed(book[TODAY])]
    await setup_entry(hass, added_again(entry))
    await fill_history(hass, freezer)
    assert await history_rows(hass) == before
    check_rows(before, book)
    assert {one.unique_id for one in er.async_get(hass).entities.values()} == entities


@pytest.mark.parametrize("again", [False, True], ids=["kept", "added again"])
async def test_upgrade(
    hass: HomeAssistant,
    hass_storage: dict[str, object],
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    again: bool,
) -> None:
    """Slugs, ids and rows of a former release are kept, also if the account is added again."""
    models = {"GPT-4o": "gpt_4o", "gpt-4o": "gpt_4o_a2a69af7", "gpt 5.5": "gpt_5_5"}
    book = simulator.account.ledger = ledger(365, tuple(models))
    for back in (3, 4, 100, 101, 102, 200):
        book[TODAY - back * DAY] = []
    await add_former_rows(hass, book, models)
    if again:
        entry = added_again(entry)
    else:
        hass_storage[f"{DOMAIN}.{entry.entry_id}"] = former_store(entry.entry_id, models)
    await setup_entry(hass, entry)
    await fill_history(hass, freezer)
    found = await history_rows(hass)
    check_rows(found, book)
    assert found.keys() == {
        *(ACCOUNT, PROJECT),
        *(f"{ACCOUNT}_{slug}" for slug in models.values()),
    }
    # What former releases did not write goes as far back.
    assert len(found[PROJECT]) > 350
    assert found[PROJECT] == {day: found[ACCOUNT][day] for day in found[PROJECT]}
    for model, slug in models.items():
        cents = sum(item.cost for item in book[TODAY] if item.name.startswith(f"{model},"))
        assert found[f"{ACCOUNT}_{slug}"][TODAY][0] == pytest.approx(cents / 100)
    assert set((await names(hass)).values()) == {
        *("OpenAI Example Home cost", "OpenAI Example Home project cost, Default project"),
        *(f"OpenAI Example Home cost, {model}" for model in models),
    }


@pytest.mark.parametrize(
    ("end", "name", "is_adopted"),
    [
        ("_gpt_4o", "Home cost, GPT-4o", True),
        ("_gpt_4o", "Home, by the sea cost, GPT-4o", True),
        # The first twenty letters tell whether a slug is one of the name.
        ("_abcdefghijklmnopqrstuv", "Home cost, abcdefghijklmnopqrstxx", True),
        ("_abcdefghijklmnopqrstuv", "Home cost, abcdefghijklmnopqrsxxx", False),
        # The one of the account, of another one, and one that has no name of a model
        ("", "Home cost, OpenAI account", False),
        ("s_gpt_4o", "Home costs, OpenAI account", False),
        ("_gpt_4o", "gpt-4o", False),
    ],
)
async def test_slugs_that_are_adopted(
    hass: HomeAssistant, entry: MockConfigEntry, end: str, name: str, is_adopted: bool
) -> None:
    """The slugs of models are taken from the statistics that are there, and from no others."""
    model = name.rpartition(", ")[2]
    async_add_external_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=name,
            source=DOMAIN,
            statistic_id=f"{ACCOUNT}{end}",
            unit_class=None,
            unit_of_measurement="USD",
        ),
        [],
    )
    await recorder_is_done(hass)
    expected = {model: end.removeprefix("_")} if is_adopted else {}
    assert await async_read_slugs(hass, entry, COST) == expected


async def test_slugs_without_a_database(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Where the database cannot be read, all slugs are new ones."""
    with patch(
        "custom_components.openai_account.history.recorder.get_metadata",
        side_effect=OperationalError("SELECT", {}, Exception("disk I/O error")),
    ):
        assert await async_read_slugs(hass, entry, COST) == {}


async def test_usage_only_where_a_key_reads_it(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    full_entry: MockConfigEntry,
) -> None:
    """A session key alone has a history of costs, an admin key one of usage, too."""
    simulator.account.ledger = {TODAY: [LineItem("o3, input", 100.0)]}
    usage = ACCOUNT.replace("_cost", "_requests")
    await setup_entry(hass, entry)
    assert ACCOUNT in (found := await names(hass))
    assert usage not in found
    await hass.config_entries.async_remove(entry.entry_id)
    await setup_entry(hass, full_entry)
    assert {ACCOUNT, usage} <= (await names(hass)).keys()


async def test_two_accounts(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Each name says which account it is of, also after the account is renamed."""
    book: Ledger = ledger(70, ("gpt-5-mini",))
    simulator.account.ledger = book
    other = MockConfigEntry(
        domain=DOMAIN,
        title="My OpenAI at work",
        # Its identity begins like the other's, and like a statistic of it.
        unique_id=f"{ORGANIZATION}_cost",
        data={CONF_HOST: simulator.url, CONF_SESSION_KEY: KEY},
    )
    await setup_entry(hass, entry)
    await setup_entry(hass, other)
    await fill_history(hass, freezer)
    work = f"{ACCOUNT}_cost"
    assert await names(hass) == {
        ACCOUNT: "OpenAI Example Home cost",
        f"{ACCOUNT}_gpt_5_mini": "OpenAI Example Home cost, gpt-5-mini",
        work: "My OpenAI at work cost",
        f"{work}_gpt_5_mini": "My OpenAI at work cost, gpt-5-mini",
        PROJECT: "OpenAI Example Home project cost, Default project",
        PROJECT.replace("_project", "_cost_project"): (
            "My OpenAI at work project cost, Default project"
        ),
    }
    hass.config_entries.async_update_entry(entry, title="Holiday, by the sea")
    await poll(hass, freezer)
    assert (await names(hass))[ACCOUNT] == "OpenAI Holiday, by the sea cost"
    assert (await names(hass))[f"{ACCOUNT}_gpt_5_mini"].endswith("sea cost, gpt-5-mini")
    found = await history_rows(hass)
    for rows in found.values():
        assert rows[TODAY][0] == pytest.approx(dollars(book, TODAY))
        assert len(rows) in {70, 366}
