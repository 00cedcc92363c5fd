"""The blueprints, used by automations."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import date, datetime, timedelta
import logging
from pathlib import Path
import re
import shutil
from typing import Any, cast
from urllib.parse import quote

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import automation
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
    get_test_config_dir,
)

from custom_components.openai_account.const import DOMAIN
from simulator import LineItem

from .common import RunningSimulator, poll, set_available_credit, setup_entry
from .const import NOW

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "blueprints/automation" / DOMAIN
NAMES = sorted(path.name for path in FOLDER.glob("*.yaml"))
IMPORT = "https://my.home-assistant.io/redirect/blueprint_import/"
SEND = [{"action": "test.send", "data": {"title": "{{ title }}", "message": "{{ message }}"}}]


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Return a configuration folder that holds the blueprints, as after an import."""
    target = Path(hass_tmp_config_dir) / "blueprints/automation" / DOMAIN
    shutil.copytree(FOLDER, target)
    assert hass_tmp_config_dir != get_test_config_dir()
    return hass_tmp_config_dir


@pytest.fixture
async def sent(hass: HomeAssistant) -> AsyncGenerator[list[ServiceCall]]:
    """Return the notifications sent; turn the automation off in the end."""
    yield async_mock_service(hass, "test", "send")
    await hass.services.async_call(
        automation.DOMAIN, "turn_off", {"entity_id": "automation.under_test"}, blocking=True
    )


async def use(hass: HomeAssistant, name: str, **inputs: Any) -> None:
    """Set up an automation that uses a blueprint."""
    config = {
        "alias": "Under test",
        "use_blueprint": {
            "path": f"{DOMAIN}/{name}.yaml",
            "input": {"actions": SEND, **inputs},
        },
    }
    await async_setup_component(hass, "labs", {})
    await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, automation.DOMAIN, {automation.DOMAIN: config})
    await hass.async_block_till_done()
    found = hass.states.get("automation.under_test")
    assert found
    assert found.state == "on"


def device_id(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return what the blueprints call the account: its device."""
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device.id


def messages(sent: list[ServiceCall]) -> list[str]:
    """Return the messages sent since the last call."""
    new = [call.data["message"] for call in sent]
    sent.clear()
    return new


async def test_low_credit_notifies_and_reminds(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
) -> None:
    """Notify once when low, remind while low, notify when no longer low; ignore outages."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    await use(
        hass,
        "low_credit",
        account=device_id(hass, entry),
        reminder=6,
    )
    await poll(hass, freezer)
    assert not messages(sent)
    set_available_credit(simulator, 4.5)
    await poll(hass, freezer)
    assert messages(sent) == ["Only 4.50 USD of credit is left."]
    await poll(hass, freezer)
    assert not messages(sent)

    set_available_credit(simulator, 3)
    await poll(hass, freezer, 5 * 3600)
    assert not messages(sent)
    for _ in range(12):
        await poll(hass, freezer, 600)
    assert messages(sent) == ["Only 3.00 USD of credit is left."]

    simulator.fault("credit_grants", "bad_gateway")
    await poll(hass, freezer)
    simulator.clear_faults()
    await poll(hass, freezer)
    assert not messages(sent)
    await poll(hass, freezer, 6 * 3600)
    assert messages(sent) == ["Only 3.00 USD of credit is left."]

    set_available_credit(simulator, 30)
    await poll(hass, freezer)
    assert messages(sent) == ["The credit is no longer low: 30.00 USD."]
    for _ in range(3):
        await poll(hass, freezer, 6 * 3600)
    assert not messages(sent)


async def test_low_credit_continues_with_the_estimate(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
) -> None:
    """An alarm set up with the reported credit works on after the session key has expired."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    simulator.account.ledger = {}
    await setup_entry(hass, full_entry)
    await use(
        hass,
        "low_credit",
        account=device_id(hass, full_entry),
    )
    for endpoint in ("credit_grants", "subscription"):
        simulator.fault(endpoint, "expired_key")
    await poll(hass, freezer)
    assert not messages(sent)
    simulator.account.ledger = {NOW.date(): [LineItem("gpt-5.5, input", 1600.0)]}
    await poll(hass, freezer)
    assert messages(sent) == ["Only 4.00 USD of credit is left (estimated)."]


async def test_low_credit_without_reminders(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
) -> None:
    """Texts can be changed and reminders turned off."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    await use(
        hass,
        "low_credit",
        account=device_id(hass, entry),
        reminder=0,
        title="Guthaben",
        low_text="Nur noch {{ amount }} $",
    )
    set_available_credit(simulator, 1)
    await poll(hass, freezer)
    assert [dict(call.data) for call in sent] == [
        {"title": "Guthaben", "message": "Nur noch 1.0 $"}
    ]
    await poll(hass, freezer, 86_400 * 3)
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (
            {},
            [
                "2026-11-24: 1.51 USD\n- gpt-5.5: 1.20 USD\n- o3: 0.30 USD\n- x: 0.01 USD",
                "2026-11-25: 0.00 USD",
            ],
        ),
        (
            {"frequency": "weekly", "weekday": "thu", "models": 1},
            ["2026-11-19 to 2026-11-25: 6.52 USD\n- gpt-5.5: 6.20 USD"],
        ),
        ({"frequency": "weekly", "weekday": "mon"}, []),
    ],
    ids=["daily", "weekly", "not on this weekday"],
)
async def test_cost_report_lists_expensive_models_first(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
    inputs: dict[str, Any],
    expected: list[str],
) -> None:
    """Report the previous day or week, with the most expensive models first."""
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to(NOW)
    simulator.account.ledger = {
        date(2026, 11, 18): [LineItem("gpt-5.5, input", 9900.0)],
        date(2026, 11, 20): [LineItem("gpt-5.5, input", 500.0), LineItem("y", 0.5)],
        date(2026, 11, 24): [
            LineItem("o3, input", 30.0),
            LineItem("x", 1.0),
            LineItem("gpt-5.5, input", 120.0),
            LineItem("y", 0.1),
        ],
    }
    await setup_entry(hass, entry)
    await use(hass, "cost_report", account=device_id(hass, entry), at="08:00:00", **inputs)
    for day in (25, 26):
        freezer.move_to(datetime(2026, 11, day, 8, 0, 1, tzinfo=dt_util.UTC))
        await poll(hass, freezer, 0)
    assert messages(sent) == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("gpt-4.1-mini", "gpt-4.1-mini"),
        ("priority | gpt-5.6-sol", "priority | gpt-5.6-sol"),
        ("ft:gpt-4o:my_home::A1", "ft:gpt-4o:my_home::A1"),
        ("![x](http://evil.example/x.png)", r"!\[x\](http\://evil.example/x.png)"),
        ("[x](javascript:alert)", r"\[x\](javascript:alert)"),
        ("<img src=//evil.example>", r"\<img src=//evil.example\>"),
        ("see https://evil.example", r"see https\://evil.example"),
        ("WWW.evil.example", r"WWW\.evil.example"),
        ("me@evil.example", r"me\@evil.example"),
        ("**a** _b_ `c` ~d~ &lt;", r"\*\*a\*\* \_b\_ \`c\` \~d\~ \&lt;"),
        ("# big", r"\# big"),
        ("\\[x](y)", r"\\\[x\](y)"),
    ],
)
async def test_cost_report_escapes_names(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
    name: str,
    shown: str,
) -> None:
    """A name of a hostile host is shown as it is; normal names look normal everywhere."""
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to(NOW)
    simulator.account.ledger = {NOW.date(): [LineItem(name, 100.0)]}
    await setup_entry(hass, entry)
    await use(hass, "cost_report", account=device_id(hass, entry), at="08:00:00")
    freezer.move_to(datetime(2026, 11, 25, 8, 0, 1, tzinfo=dt_util.UTC))
    await poll(hass, freezer, 0)
    [message] = messages(sent)
    assert message.partition("- ")[2] == f"{shown}: 1.00 USD"


async def test_high_spending_notifies_once_a_day(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
) -> None:
    """Notify once a day above twice the average, and not again after an outage."""
    freezer.move_to(NOW)
    today = NOW.date()
    usual = {today - timedelta(days=days): [LineItem("o3, input", 150.0)] for days in range(1, 9)}
    simulator.account.ledger = usual
    await setup_entry(hass, entry)
    await use(
        hass,
        "high_spending",
        account=device_id(hass, entry),
    )
    simulator.account.ledger = usual | {today: [LineItem("o3, input", 299.0)]}
    await poll(hass, freezer)
    assert not messages(sent)
    simulator.account.ledger = usual | {today: [LineItem("o3, input", 310.0)]}
    await poll(hass, freezer)
    assert messages(sent) == [
        "Today's cost is 3.10 USD. The average of the last 7 days is 1.50 USD."
    ]
    simulator.fault("usage", "bad_gateway")
    await poll(hass, freezer)
    simulator.clear_faults()
    await poll(hass, freezer)
    assert not messages(sent)

    await poll(hass, freezer, 86_400)
    tomorrow = today + timedelta(days=1)
    simulator.account.ledger = {**usual, tomorrow: [LineItem("o3, input", 999.0)]}
    await poll(hass, freezer)
    assert len(messages(sent)) == 1


async def test_high_spending_ignores_cheap_days(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
) -> None:
    """A day below the minimum cost is never reported."""
    freezer.move_to(NOW)
    simulator.account.ledger = {}
    await setup_entry(hass, entry)
    await use(
        hass,
        "high_spending",
        account=device_id(hass, entry),
    )
    simulator.account.ledger = {NOW.date(): [LineItem("o3, input", 99.0)]}
    await poll(hass, freezer)
    assert not messages(sent)
    simulator.account.ledger = {NOW.date(): [LineItem("o3, input", 101.0)]}
    await poll(hass, freezer)
    assert len(messages(sent)) == 1


async def test_payment_trouble_notifies_and_reminds(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
) -> None:
    """Report each problem immediately, and those that remain every day."""
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to(NOW)
    plan = simulator.account.subscription
    simulator.account.subscription = {
        key: plan[key] for key in ("has_payment_method", "canceled", "delinquent")
    }
    await setup_entry(hass, entry)
    await use(
        hass,
        "payment_trouble",
        account=device_id(hass, entry),
        days=10,
    )
    await poll(hass, freezer)
    assert not messages(sent)

    for key, value, text in (
        ("delinquent", True, "A payment is overdue."),
        ("canceled", True, "The subscription is canceled."),
        ("has_payment_method", False, "There is no payment method on file."),
    ):
        simulator.account.subscription[key] = value
        await poll(hass, freezer)
        assert messages(sent) == [text]
        simulator.account.subscription[key] = not value
        await poll(hass, freezer)
        assert not messages(sent)

    simulator.account.subscription["delinquent"] = True
    await poll(hass, freezer)
    messages(sent)
    for day, expires, expected in (
        (25, 12, "A payment is overdue."),
        (26, 5, "A payment is overdue.\nCredit expires on 2026-12-05."),
    ):
        moment = datetime(2026, 12, expires, 12, tzinfo=dt_util.UTC).timestamp()
        simulator.account.credit_grants_override = {
            "total_available": 50.0,
            "grants": {"data": [{"grant_amount": 5, "expires_at": moment}]},
        }
        freezer.move_to(datetime(2026, 11, day, 8, 50, tzinfo=dt_util.UTC))
        await poll(hass, freezer, 0)
        assert not messages(sent)
        freezer.move_to(datetime(2026, 11, day, 9, 0, 1, tzinfo=dt_util.UTC))
        await poll(hass, freezer, 0)
        assert messages(sent) == [expected]


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ("spend_limit", "The organization's spend limit is reached."),
        ("credit", "The credit is used up."),
        ("payment", "A payment is overdue."),
        ("session_key", "The session key has expired"),
        ("admin_key", "The admin key has expired"),
    ],
)
async def test_stopped_answering_tells_which_it_is(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
    problem: str,
    message: str,
) -> None:
    """Notify once when something stops OpenAI from answering, and not again after a reload."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    await setup_entry(hass, full_entry)
    await use(hass, "stopped_answering", account=device_id(hass, full_entry))
    await poll(hass, freezer)
    assert not messages(sent)
    match problem:
        case "spend_limit":
            simulator.account.spend_limit_status = "enforcing"
        case "credit":
            set_available_credit(simulator, 0)
        case "payment":
            simulator.account.subscription["delinquent"] = True
        case "session_key":
            simulator.fault("credit_grants", "expired_key")
        case "admin_key":
            simulator.fault("spend_limit", "expired_key")
    await poll(hass, freezer)
    assert [call.data["title"] for call in sent] == ["Example Home: OpenAI stopped answering"]
    [shown] = messages(sent)
    assert shown.startswith(message)
    await poll(hass, freezer)
    await hass.config_entries.async_reload(full_entry.entry_id)
    await hass.async_block_till_done()
    assert not messages(sent)


async def test_notifications_of_two_accounts_stay_apart(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A notification has the account's name in its title, and an id of the account's own."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    await setup_entry(hass, entry)
    account = device_id(hass, entry)
    notifications = async_mock_service(hass, "persistent_notification", "create")
    path = f"{DOMAIN}/low_credit.yaml"
    config = {"alias": "Under test", "use_blueprint": {"path": path, "input": {"account": account}}}
    await async_setup_component(hass, "labs", {})
    assert await async_setup_component(hass, automation.DOMAIN, {automation.DOMAIN: config})
    await hass.async_block_till_done()
    set_available_credit(simulator, 1)
    await poll(hass, freezer)
    assert [dict(call.data) for call in notifications] == [
        {
            "notification_id": f"openai_account_low_credit_{account}",
            "title": "Example Home: OpenAI credit",
            "message": "Only 1.00 USD of credit is left.",
        }
    ]
    await hass.services.async_call(
        automation.DOMAIN, "turn_off", {"entity_id": "automation.under_test"}, blocking=True
    )


async def test_unusual_usage_of_a_key(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
) -> None:
    """Name the key whose previous day cost far more than its average, and no other."""
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to(NOW)
    bot, laptop = simulator.account.api_keys[1].id, simulator.account.api_keys[2].id

    def item(key: str | None, cents: float) -> LineItem:
        return LineItem("o3, input", cents, "proj_default", None, key)

    usual = {date(2026, 11, day): [item(bot, 100.0), item(laptop, 100.0)] for day in range(15, 24)}
    simulator.account.ledger = usual | {
        date(2026, 11, 24): [item(bot, 290.0), item(laptop, 350.0), item(None, 900.0)]
    }
    await setup_entry(hass, full_entry)
    await use(hass, "unusual_key_usage", account=device_id(hass, full_entry), at="08:00:00")
    for day in (25, 26):
        freezer.move_to(datetime(2026, 11, day, 8, 0, 1, tzinfo=dt_util.UTC))
        await poll(hass, freezer, 0)
    assert messages(sent) == [
        f"{simulator.account.api_keys[2].name}: 3.50 USD on 2026-11-24, on average 1.00 USD a day"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_account_is_all_that_a_blueprint_asks_for(name: str) -> None:
    """Every input but the account has a default; the notification's id holds the account."""
    blueprint = cast("dict[str, Any]", parse_yaml((FOLDER / name).read_text()))["blueprint"]
    inputs = blueprint["input"]
    assert [key for key, one in inputs.items() if "default" not in one and "input" not in one] == [
        "account"
    ]
    assert inputs["account"]["selector"] == {"device": {"filter": [{"integration": DOMAIN}]}}
    [action] = inputs["actions"]["default"]
    assert action["data"]["notification_id"].endswith("_{{ account }}")


@pytest.mark.parametrize("name", ["payment_trouble", "stopped_answering", "unusual_key_usage"])
async def test_run_by_hand(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sent: list[ServiceCall],
    name: str,
) -> None:
    """Who runs the actions where nothing is wrong gets no false alarm."""
    freezer.move_to(NOW)
    set_available_credit(simulator, 20)
    await setup_entry(hass, full_entry)
    await use(hass, name, account=device_id(hass, full_entry))
    await hass.services.async_call(
        automation.DOMAIN, "trigger", {"entity_id": "automation.under_test"}, blocking=True
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not messages(sent)


def test_reports_of_a_day_and_a_week_do_not_replace_each_other() -> None:
    """Both can come at the same time."""
    content = (FOLDER / "cost_report.yaml").read_text("utf-8")
    assert 'notification_id: "openai_account_cost_report_{{ frequency }}_{{ account }}"' in content


async def test_payment_trouble_works_without_any_entity(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    sent: list[ServiceCall],
) -> None:
    """Entities that an account does not have can be left out."""
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to(NOW)
    await setup_entry(hass, entry)
    await use(hass, "payment_trouble", account=device_id(hass, entry))
    caplog.clear()
    freezer.move_to(datetime(2026, 11, 25, 9, 0, 1, tzinfo=dt_util.UTC))
    await poll(hass, freezer, 0)
    assert not messages(sent)
    # A template that stumbles over what is left out is logged.
    logged = [one for one in caplog.records if one.name.startswith("homeassistant")]
    assert [one.getMessage() for one in logged if one.levelno >= logging.WARNING] == []


def test_each_blueprint_has_an_import_button() -> None:
    """The README has an import button for each blueprint, with the blueprint's own URL."""
    readme = (ROOT / "README.md").read_text()
    assert NAMES == [
        "cost_report.yaml",
        "high_spending.yaml",
        "low_credit.yaml",
        "payment_trouble.yaml",
        "stopped_answering.yaml",
        "unusual_key_usage.yaml",
    ]
    for name in NAMES:
        source = re.search(r"source_url: (\S+)", (FOLDER / name).read_text())
        assert source
        assert source[1].endswith(f"/blueprints/automation/{DOMAIN}/{name}")
        address = quote(source[1], safe="")
        assert f"{IMPORT}?blueprint_url={address})" in readme, name
