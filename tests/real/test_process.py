"""An account in a real Home Assistant, set up and read through its HTTP interface."""

import re

import aiohttp
import pytest

from development.home import Home
from development.process import Json, until

from .common import (
    KEY,
    PERSONAL,
    WRONG_KEY,
    Service,
    add_account,
    check_states,
    entities_by_key,
    every_entity_has_a_state,
    expected_values,
)

OFF_BY_DEFAULT = {
    *("system_hard_limit_usd", "max_balance", "auto_recharge_threshold"),
    *("auto_recharge_to_balance", "soft_limit", "hard_limit", "system_hard_limit"),
    *("billing_mechanism", "trust_tier", "canceled_at", "access_until", "account_name"),
    *("po_number", "billing_email", "tax_ids", "billing_address", "business_address"),
    *("primary", "auto_recharge_eligible", "is_arrears_eligible"),
    *("cost_last_month", "project_cost_proj_default", "project_cost_proj_voice"),
}
RECORD = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\S* [A-Z]+ \()", re.MULTILINE)

# What Home Assistant itself says where other work keeps the processors busy
SLOW = re.compile(
    r"\S+ \S+ WARNING \(\w+\) \[homeassistant\.\S+\] "
    r"(Setup of (openai_account|\w+ platform openai_account) is taking over 10 seconds\.\s*$"
    r"|Waiting for integrations to complete setup: )"
)


def check_log(log: str, values: dict[str, Json]) -> None:
    """Check that the log holds no secret, and no warning by or about this integration."""
    for secret in (KEY, WRONG_KEY, *(str(values[key]) for key in PERSONAL)):
        assert secret not in log
    records = RECORD.split(log)
    assert any("custom_components.openai_account" in record for record in records)
    bad = [
        record
        for record in records
        if re.match(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ", record)
        and "openai_account" in record
        # Home Assistant says this of every custom integration.
        and "which has not been tested by Home Assistant" not in record
        and not SLOW.match(record)
    ]
    assert bad == []
    # The lock file has all that Home Assistant loads here.
    assert "Setup failed for" not in log


async def test_account_survives_a_restart(home: Home, service: Service) -> None:
    entry = await add_account(home, service)
    await until(lambda: every_entity_has_a_state(home), "Every entity has a state")
    assert entry["state"] == "loaded"
    await check_states(home, service)
    entities = entities_by_key(await home.entities())
    assert {key for key, one in entities.items() if one["disabled_by"]} == OFF_BY_DEFAULT
    device = await home.device(entry)
    assert device["name"] == "Work"
    assert {one["device_id"] for one in entities.values()} == {device["id"]}

    # Enable what is disabled by default, and restart Home Assistant.
    for key in OFF_BY_DEFAULT:
        await home.command(
            "config/entity_registry/update",
            entity_id=entities[key]["entity_id"],
            disabled_by=None,
        )
    assert await home.stop() == 0
    with pytest.raises(aiohttp.ClientError):
        async with aiohttp.ClientSession() as session, session.get(home.url):
            pass

    await home.start()
    await until(
        lambda: every_entity_has_a_state(home), "Every entity has a state after the restart"
    )
    after = entities_by_key(await home.entities())
    assert {key: one["entity_id"] for key, one in after.items()} == {
        key: one["entity_id"] for key, one in entities.items()
    }
    assert not [key for key, one in after.items() if one["disabled_by"]]
    await check_states(home, service)
    assert await home.stop() == 0
    check_log(home.process.log.read_text(), await expected_values(service))
