"""Tools for language models, as conversation agents and MCP clients call them."""

from __future__ import annotations

from collections.abc import Mapping
import json
from typing import Any, Literal, override

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.const import CONF_HOST, MATCH_ALL
from homeassistant.core import HomeAssistant
from homeassistant.helpers import chat_session, device_registry as dr, intent, llm
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.const import (
    CONF_ADMIN_KEY,
    CONF_LOW_BALANCE_THRESHOLD,
    CONF_MONTHLY_BUDGET,
    DOMAIN,
)

from .common import (
    RunningSimulator,
    get_costs,
    poll,
    set_available_credit,
    setup_entry,
    state,
)
from .const import ADMIN_KEY, NOW, SECRETS

pytest.importorskip(
    "homeassistant.components.llm", reason="this Home Assistant has no tools of integrations"
)

from homeassistant.components import conversation
from homeassistant.components.conversation.chat_log import (
    AssistantContent,
    async_get_chat_log,
)
from homeassistant.components.llm import async_get_tools

from .assist import (
    ASSISTANT,
    CONTEXT,
    GET_ACCOUNT,
    GET_COSTS,
    call,
    error_of,
    expose,
    schema,
    setup_assist,
    tools,
)

pytestmark = pytest.mark.usefixtures("assist")


@pytest.fixture
async def assist(hass: HomeAssistant, integrations: None, freezer: FrozenDateTimeFactory) -> None:
    """Set up Assist."""
    freezer.move_to(NOW)
    await setup_assist(hass)


@pytest.fixture
def work(simulator: RunningSimulator) -> MockConfigEntry:
    """Return an entry of another account, with an admin key alone."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Work",
        unique_id="org-Work",
        data={CONF_HOST: simulator.url, CONF_ADMIN_KEY: ADMIN_KEY},
    )


# ---- Which tools there are ---------------------------------------------------------------------


async def test_tools_need_an_exposed_entity(
    hass: HomeAssistant, full_entry: MockConfigEntry
) -> None:
    """The tools exist for the assistant to which an entity of the account is exposed."""
    await setup_entry(hass, full_entry)
    assert await tools(hass) == []
    expose(hass)
    assert [one.name for one in await tools(hass)] == [GET_ACCOUNT, GET_COSTS]
    other = llm.LLMContext("test", None, "en", "cloud.alexa", None)
    assert await tools(hass, other) == []
    expose(hass, exposed=False)
    assert await tools(hass) == []


async def test_disabled_entity_does_not_count(
    hass: HomeAssistant, full_entry: MockConfigEntry
) -> None:
    """An entity that is disabled exposes nothing."""
    await setup_entry(hass, full_entry)
    expose(hass, "billing_email")
    assert await tools(hass) == []


async def test_exposure_that_ends_before_the_call(
    hass: HomeAssistant, full_entry: MockConfigEntry
) -> None:
    """A conversation that still has the tools does not get data that is no longer exposed."""
    await setup_entry(hass, full_entry)
    expose(hass)
    api = await llm.async_get_api(hass, llm.LLM_API_ASSIST, CONTEXT)
    expose(hass, exposed=False)
    for tool in (GET_ACCOUNT, GET_COSTS):
        result = await api.async_call_tool(llm.ToolInput(tool, {"account": "Example Home"}))
        assert result.error
        assert result.data == {"error": "No OpenAI account is exposed to this assistant"}


async def test_other_apis_have_no_tools(hass: HomeAssistant, full_entry: MockConfigEntry) -> None:
    """The tools belong to the API that the exposure of entities is for."""
    await setup_entry(hass, full_entry)
    expose(hass)
    for api, offered in ((llm.LLM_API_ASSIST, True), ("another_api", False)):
        found = (await async_get_tools(hass, CONTEXT, api)).tools
        assert any(one.integration == DOMAIN for one in found) is offered


async def test_description(
    hass: HomeAssistant, full_entry: MockConfigEntry, work: MockConfigEntry
) -> None:
    """The tools only read, and name the accounts and everything else that can be chosen."""
    await setup_entry(hass, full_entry)
    expose(hass)
    for one in await tools(hass):
        assert one.annotations.read_only
        assert not one.annotations.destructive
        assert one.integration == DOMAIN
        assert one.title
        assert one.description
    account, costs = (schema(one) for one in await tools(hass))
    assert account["properties"]["account"]["enum"] == ["Example Home"]
    assert "required" not in account
    assert costs["properties"]["group_by"]["enum"] == ["model", "project", "api_key"]
    assert "this_month" in costs["properties"]["period"]["enum"]
    assert costs["properties"]["start_date"]["type"] == "string"
    assert all(one["description"] for one in costs["properties"].values())

    await setup_entry(hass, work)
    async_expose_entity(hass, ASSISTANT, "sensor.work_cost_today", True)
    for one in await tools(hass):
        assert schema(one)["properties"]["account"]["enum"] == ["Example Home", "Work"]
        assert schema(one)["required"] == ["account"]


# ---- The account -------------------------------------------------------------------------------


async def test_account(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """The tool returns what the sensors show."""
    await setup_entry(hass, full_entry)
    expose(hass)
    last_month = await get_costs(hass, full_entry, start_date="2026-10-01", end_date="2026-10-31")
    assert await call(hass, GET_ACCOUNT) == {
        "account": "Example Home",
        "currency": "USD",
        "credit": {
            "available": float(state(hass, "total_available")),
            "source": "reported",
            "days_left": float(state(hass, "days_left")),
            "next_expiry": state(hass, "next_grant_expiry"),
            "auto_recharge": False,
        },
        "costs": {
            "today": float(state(hass, "cost_today")),
            "yesterday": float(state(hass, "cost_yesterday")),
            "last_7_days": float(state(hass, "cost_last_7_days")),
            "this_month": float(state(hass, "cost_this_month")),
            "last_month": last_month["total"],
            "forecast_this_month": float(state(hass, "forecast_this_month")),
        },
        "budget": {
            "monthly": 100,
            "used_percent": float(state(hass, "budget_used")),
            "left": float(state(hass, "budget_left")),
        },
        "limits": {
            "soft_limit": float(state(hass, "soft_limit_usd")),
            "hard_limit": float(state(hass, "hard_limit_usd")),
            "spend_limit": 150.0,
            "spend_limit_reached": False,
        },
        "problems": [],
    }


async def test_credit_that_recharges(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """With auto-recharge, the credit does not last for a number of days."""
    simulator.account.subscription["auto_recharge_enabled"] = True
    await setup_entry(hass, full_entry)
    expose(hass)
    credit = (await call(hass, GET_ACCOUNT))["credit"]
    assert credit["days_left"] is None
    assert credit["auto_recharge"] is True


async def test_estimated_credit(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """With a dead session key, the tool returns the estimate and says so."""
    simulator.account.subscription["auto_recharge_enabled"] = False
    simulator.account.credit_left = 20.0
    await setup_entry(hass, full_entry)
    expose(hass)
    known = (await call(hass, GET_ACCOUNT))["credit"]["available"]
    for endpoint in ("credit_grants", "subscription"):
        simulator.fault(endpoint, "expired_key")
    await poll(hass, freezer)
    result = await call(hass, GET_ACCOUNT)
    assert result["credit"]["available"] == float(state(hass, "estimated_credit"))
    assert result["credit"]["source"] == "estimated"
    assert result["credit"]["last_known"]["amount"] == pytest.approx(known)
    assert result["credit"]["last_known"]["source"] == "reported"
    assert result["limits"] == {
        "soft_limit": None,
        "hard_limit": None,
        "spend_limit": 150.0,
        "spend_limit_reached": False,
    }
    assert result["problems"] == ["The session key was rejected; the user has to enter a new one"]


async def test_admin_key_alone(hass: HomeAssistant, work: MockConfigEntry) -> None:
    """What no key gives access to is null, and not a problem."""
    await setup_entry(hass, work)
    async_expose_entity(hass, ASSISTANT, "sensor.work_cost_today", True)
    result = await call(hass, GET_ACCOUNT)
    assert result["credit"] is None
    assert result["costs"]["today"] > 0
    assert result["budget"]["monthly"] == result["limits"]["spend_limit"] == 150.0
    assert result["problems"] == []


@pytest.mark.parametrize(
    ("options", "subscription", "problem"),
    [
        ({CONF_LOW_BALANCE_THRESHOLD: 60}, {}, "The credit is below 60 USD"),
        ({CONF_MONTHLY_BUDGET: 0.01}, {}, "This month is over budget"),
        ({}, {"delinquent": True}, "A payment is overdue"),
        ({}, {"canceled": True}, "The subscription is canceled"),
        ({}, {"has_payment_method": False}, "There is no payment method"),
    ],
)
async def test_problems(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    full_entry: MockConfigEntry,
    options: dict[str, float],
    subscription: dict[str, bool],
    problem: str,
) -> None:
    """Each problem is named, and no other one."""
    set_available_credit(simulator, 50)
    simulator.account.subscription |= subscription
    full_entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(full_entry, options=full_entry.options | options)
    await setup_entry(hass, full_entry)
    expose(hass)
    assert (await call(hass, GET_ACCOUNT))["problems"] == [problem]


async def test_reached_spend_limit(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """The organization's own limit is a problem once the month has reached it."""
    simulator.account.spend_limit_cents = 100
    await setup_entry(hass, full_entry)
    expose(hass)
    result = await call(hass, GET_ACCOUNT)
    assert result["limits"]["spend_limit_reached"]
    assert result["problems"] == [
        "OpenAI is enforcing the spend limit and refuses the organization's requests"
    ]
    # OpenAI enforces a limit with a delay.
    simulator.account.spend_limit_status = "inactive"
    await full_entry.runtime_data.by_endpoint["spend_limit"].async_refresh()
    result = await call(hass, GET_ACCOUNT)
    assert not result["limits"]["spend_limit_reached"]
    assert result["problems"] == ["This month has reached the spend limit"]


async def test_endpoint_that_fails(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Old figures are not passed off as current ones."""
    await setup_entry(hass, entry)
    expose(hass)
    simulator.fault("usage", "unavailable")
    await poll(hass, freezer)
    result = await call(hass, GET_ACCOUNT)
    assert result["costs"] is None
    assert result["credit"]["source"] == "reported"
    assert result["problems"] == ["costs is not available: The service reported an internal error"]


async def test_unexpected_error(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The text of an unexpected error, which can hold anything, is not passed on."""
    await setup_entry(hass, entry)
    expose(hass)
    coordinator = entry.runtime_data.costs
    coordinator.async_set_update_error(ValueError("something private"))
    problems = (await call(hass, GET_ACCOUNT))["problems"]
    assert problems == ["costs is not available: an unexpected error occurred"]


@pytest.mark.usefixtures("all_entities_enabled")
async def test_no_personal_data(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """Neither tool returns personal data or keys, even if such an entity is exposed."""
    await setup_entry(hass, full_entry)
    for key in ("account_name", "billing_email", "billing_address", "tax_ids"):
        expose(hass, key)
    returned = json.dumps(
        [
            await call(hass, GET_ACCOUNT),
            await call(hass, GET_COSTS, group_by="project"),
            [schema(one) for one in await tools(hass)],
        ]
    )
    assert [secret for secret in SECRETS if secret in returned] == []
    assert state(hass, "billing_email") not in returned


async def test_account_that_is_not_loaded(
    hass: HomeAssistant, simulator: RunningSimulator, full_entry: MockConfigEntry
) -> None:
    """An account whose setup failed has tools that say why."""
    await setup_entry(hass, full_entry)
    expose(hass)
    await hass.config_entries.async_unload(full_entry.entry_id)
    for tool in (GET_ACCOUNT, GET_COSTS):
        text = await error_of(hass, tool)
        assert text == "Example Home is not available: it is not loaded"
    simulator.fault("*", "html_wall")
    await hass.config_entries.async_setup(full_entry.entry_id)
    text = await error_of(hass, GET_ACCOUNT)
    assert text.startswith("Example Home is not available: A firewall in front of the service")


# ---- Several accounts --------------------------------------------------------------------------


async def test_two_accounts(
    hass: HomeAssistant, full_entry: MockConfigEntry, work: MockConfigEntry
) -> None:
    """The error for a missing or wrong name lists the accounts that there are."""
    await setup_entry(hass, full_entry)
    await setup_entry(hass, work)
    expose(hass)
    # The other one is not exposed, so it is neither needed nor found.
    assert (await call(hass, GET_ACCOUNT))["account"] == "Example Home"
    which = "Which account? Use one of these names: Example Home"
    assert await error_of(hass, GET_ACCOUNT, account="Work") == which

    async_expose_entity(hass, ASSISTANT, "sensor.work_cost_today", True)
    which = f"{which}, Work"
    for tool in (GET_ACCOUNT, GET_COSTS):
        assert await error_of(hass, tool) == which
        assert await error_of(hass, tool, account="Play") == which
        for name in ("work", "Work"):
            assert (await call(hass, tool, account=name))["account"] == "Work"
        assert (await call(hass, tool, account="Example Home"))["account"] == "Example Home"


async def test_accounts_of_the_same_name(
    hass: HomeAssistant, full_entry: MockConfigEntry, work: MockConfigEntry
) -> None:
    """Accounts that the user calls the same are numbered; a device's own name counts."""
    await setup_entry(hass, full_entry)
    await setup_entry(hass, work)
    registry = dr.async_get(hass)
    [device] = dr.async_entries_for_config_entry(registry, work.entry_id)
    registry.async_update_device(device.id, name_by_user="example home")
    async_expose_entity(hass, ASSISTANT, "sensor.work_cost_today", True)
    result = await call(hass, GET_ACCOUNT)
    assert result["account"] == "example home (2)"
    assert result["credit"] is None
    expose(hass)
    assert (await call(hass, GET_ACCOUNT, account="Example Home"))["credit"] is not None


# ---- A conversation ----------------------------------------------------------------------------


class Agent(conversation.AbstractConversationAgent):
    """A conversation agent that calls one tool for each sentence and says what it got."""

    def __init__(self, hass: HomeAssistant, tool: str, arguments: Mapping[str, Any]) -> None:
        self.hass = hass
        self.tool = tool
        self.arguments = arguments

    @property
    @override
    def supported_languages(self) -> list[str] | Literal["*"]:
        return MATCH_ALL

    @override
    async def async_process(
        self, user_input: conversation.ConversationInput
    ) -> conversation.ConversationResult:
        response = intent.IntentResponse(language=user_input.language)
        with (
            chat_session.async_get_chat_session(self.hass, user_input.conversation_id) as session,
            async_get_chat_log(self.hass, session, user_input) as log,
        ):
            await log.async_provide_llm_data(user_input.as_llm_context(DOMAIN), "assist")
            question = AssistantContent(
                agent_id=user_input.agent_id,
                content=None,
                tool_calls=[llm.ToolInput(self.tool, dict(self.arguments))],
            )
            async for content in log.async_add_assistant_content(question):
                response.async_set_speech(json.dumps(content.result.data))
            return conversation.ConversationResult(response, session.conversation_id)


async def ask(
    hass: HomeAssistant, entry: MockConfigEntry, tool: str, **arguments: Any
) -> dict[str, Any]:
    """Let a conversation agent answer a question by a tool; return what it says."""
    conversation.async_set_agent(hass, entry, Agent(hass, tool, arguments))
    response = await hass.services.async_call(
        "conversation",
        "process",
        {"text": "How is my OpenAI account?", "agent_id": entry.entry_id},
        blocking=True,
        return_response=True,
    )
    assert response
    speech: Any = response["response"]
    return dict(json.loads(speech["speech"]["plain"]["speech"]))


async def test_conversation(
    hass: HomeAssistant, simulator: RunningSimulator, entry: MockConfigEntry
) -> None:
    """A conversation agent that gets Assist's tools calls them, and gets errors as words."""
    await setup_entry(hass, entry)
    expose(hass)
    result = await ask(hass, entry, GET_ACCOUNT)
    assert result["credit"]["available"] == float(state(hass, "total_available"))
    result = await ask(hass, entry, GET_COSTS, period="today")
    assert result["total"] == float(state(hass, "cost_today"))
    simulator.fault("usage", "html_wall")
    result = await ask(hass, entry, GET_COSTS, period="today")
    assert result["error_text"] == "A firewall in front of the service blocked the request"
    result = await ask(hass, entry, GET_COSTS, group_by="mood")
    assert "group_by" in result["error_text"]
