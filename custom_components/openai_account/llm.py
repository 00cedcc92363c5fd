"""Tools for language models: what an account costs and what is left of its credit.

Home Assistant offers them to Assist and, by its Model Context Protocol Server, to other
programs. Versions before 2026.10 do not know all that is imported here; they ignore this file.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import ClassVar, Final, cast, override

from homeassistant.components.homeassistant import async_should_expose
from homeassistant.components.llm import LLMTools
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.llm import (
    LLM_API_ASSIST,
    LLMContext,
    Tool,
    ToolAnnotations,
    ToolInput,
    ToolResult,
)
from homeassistant.helpers.typing import VolDictType
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType
import voluptuous as vol

from .api import round_usd
from .binary_sensor import low_balance, over_budget
from .const import CURRENCY_USD, DOMAIN
from .coordinator import (
    COSTS,
    CREDIT,
    SPEND_LIMIT,
    SUBSCRIPTION,
    AnyCoordinator,
    OpenAIAccountConfigEntry,
    OpenAIAccountData,
)
from .daily_costs import GROUPS, async_get_costs
from .estimate import credit_left
from .names import account_name
from .sensor import budget_left, budget_used, days_left, monthly_budget
from .status import failed_keys

ATTR_ACCOUNT: Final = "account"
ATTR_PERIOD: Final = "period"
ATTR_START_DATE: Final = "start_date"
ATTR_END_DATE: Final = "end_date"
ATTR_GROUP_BY: Final = "group_by"

# A model reads what it gets: beyond this many days, only the sums are broken down.
_MAX_GROUPED_DAYS = 31

_DAY = timedelta(days=1)


def _last_days(days: int) -> Callable[[date], tuple[date, date]]:
    """Return the function that returns the first and last of so many completed days."""
    return lambda today: (today - days * _DAY, today - _DAY)


def _last_month(today: date) -> tuple[date, date]:
    end = today.replace(day=1) - _DAY
    return end.replace(day=1), end


# The first and last day of each period, by today; all are UTC days.
PERIODS: Mapping[str, Callable[[date], tuple[date, date]]] = {
    "today": lambda today: (today, today),
    "yesterday": _last_days(1),
    "last_7_days": _last_days(7),
    "last_30_days": _last_days(30),
    "this_month": lambda today: (today.replace(day=1), today),
    "last_month": _last_month,
}
DEFAULT_PERIOD: Final = "this_month"


@callback
def async_get_tools(hass: HomeAssistant, llm_context: LLMContext, api_id: str) -> LLMTools | None:
    """Return the tools, if an entity of an account is exposed to the assistant."""
    if api_id != LLM_API_ASSIST:
        return None
    names = list(_exposed_accounts(hass, llm_context))
    return LLMTools(tools=[GetAccountTool(names), GetCostsTool(names)]) if names else None


@callback
def _exposed_accounts(
    hass: HomeAssistant, llm_context: LLMContext
) -> dict[str, OpenAIAccountConfigEntry]:
    """Return the accounts of which an entity is exposed to the assistant, by name.

    Accounts with the same name are numbered, whether they are exposed or not.
    """
    registry = er.async_get(hass)
    taken: set[str] = set()
    exposed: dict[str, OpenAIAccountConfigEntry] = {}
    for entry in hass.config_entries.async_entries(DOMAIN, include_disabled=False):
        name = title = account_name(hass, entry)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{title} ({number})"
        taken.add(name.casefold())
        if any(
            not entity.disabled
            and async_should_expose(hass, llm_context.assistant, entity.entity_id)
            for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
        ):
            exposed[name] = entry
    return exposed


def _error(text: str) -> ToolResult:
    return ToolResult(data={"error": text}, error=True)


class AccountTool(Tool):
    """A tool that reads one account; with several, its argument `account` names the one."""

    annotations = ToolAnnotations(
        read_only=True, destructive=False, idempotent=True, open_world=False
    )
    integration = DOMAIN
    fields: ClassVar[VolDictType] = {}

    def __init__(self, accounts: list[str]) -> None:
        """Offer the accounts with these names."""
        marker = vol.Required if len(accounts) > 1 else vol.Optional
        self.parameters = vol.Schema(
            {
                marker(ATTR_ACCOUNT, description="The name of the account"): vol.In(accounts),
                **self.fields,
            }
        )

    @abstractmethod
    async def async_read(
        self,
        hass: HomeAssistant,
        entry: OpenAIAccountConfigEntry,
        arguments: Mapping[str, str],
    ) -> ToolResult:
        """Return what the tool gets from a loaded entry."""

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Find the account and read it."""
        # Some models fill in every argument, those that they do not use with nothing.
        given = {key: value for key, value in tool_input.tool_args.items() if value or value == 0}
        accounts = _exposed_accounts(hass, llm_context)
        wanted = given.get(ATTR_ACCOUNT, "" if len(accounts) != 1 else next(iter(accounts)))
        name = next((one for one in accounts if one.casefold() == str(wanted).casefold()), None)
        if name is None:
            return _error(
                f"Which account? Use one of these names: {', '.join(accounts)}"
                if accounts
                else "No OpenAI account is exposed to this assistant"
            )
        arguments = self.parameters({**given, ATTR_ACCOUNT: name})
        entry = accounts[name]
        if entry.state is not ConfigEntryState.LOADED:
            return _error(f"{name} is not available: {entry.reason or 'it is not loaded'}")
        result = await self.async_read(hass, entry, arguments)
        return result if result.error else ToolResult(data={ATTR_ACCOUNT: name, **result.data})


class GetAccountTool(AccountTool):
    """LLM Tool that gets the current state of an account."""

    name = "openai_account__get_account"
    title = "Get OpenAI account"
    description = (
        "Get the state of an OpenAI account: the credit that is left and for how many days, "
        "the costs so far and expected, the budget, the limits, and current problems. "
        "Use this to answer questions about the account as a whole. Amounts are US dollars; "
        "days and months are in UTC. The credit is either reported by OpenAI, or estimated "
        "from the last known credit and the costs since then; say so if it is estimated. "
        "A value that is null is not known at the moment."
    )

    @override
    async def async_read(
        self,
        hass: HomeAssistant,
        entry: OpenAIAccountConfigEntry,
        arguments: Mapping[str, str],
    ) -> ToolResult:
        """Return what is known about the account, from the last poll."""
        account = entry.runtime_data
        return ToolResult(
            data={
                "currency": CURRENCY_USD,
                "credit": _credit(account),
                "costs": _costs(account),
                "budget": _budget(account),
                "limits": _limits(account),
                "problems": cast("list[JsonValueType]", _problems(hass, entry)),
            }
        )


class GetCostsTool(AccountTool):
    """LLM Tool that gets the costs of an account."""

    name = "openai_account__get_costs"
    title = "Get OpenAI costs"
    description = (
        "Get what an OpenAI account has cost on each day of a period, and in total, "
        "if wanted by model, project or API key. Use this to answer questions about past costs, "
        "or what caused them. Give either a period or dates. Amounts are US dollars; "
        f"days are in UTC. In more than {_MAX_GROUPED_DAYS} days, only the total is broken down."
    )
    fields: ClassVar[VolDictType] = {
        vol.Optional(
            ATTR_PERIOD,
            description=(
                "The days to include; last_7_days and last_30_days are completed days, "
                f"without today (default: {DEFAULT_PERIOD})"
            ),
        ): vol.In(list(PERIODS)),
        vol.Optional(
            ATTR_START_DATE, description="The first day to include, such as 2026-11-01"
        ): str,
        vol.Optional(
            ATTR_END_DATE, description="The last day to include (default: today in UTC)"
        ): str,
        vol.Optional(
            ATTR_GROUP_BY, description="What to break the costs down by (default: nothing)"
        ): vol.In(list(GROUPS)),
    }

    @override
    async def async_read(
        self,
        hass: HomeAssistant,
        entry: OpenAIAccountConfigEntry,
        arguments: Mapping[str, str],
    ) -> ToolResult:
        """Request the costs of the days."""
        days = _days(arguments)
        if isinstance(days, str):
            return _error(days)
        start, end = days
        costs = await async_get_costs(
            entry.runtime_data,
            start,
            end,
            arguments.get(ATTR_GROUP_BY),
            group_days=(end - start).days < _MAX_GROUPED_DAYS,
        )
        return ToolResult(
            data={ATTR_START_DATE: start.isoformat(), ATTR_END_DATE: end.isoformat(), **costs}
        )


def _days(arguments: Mapping[str, str]) -> tuple[date, date] | str:
    """Return the first and last day that arguments stand for, or what is wrong with them."""
    today = dt_util.utcnow().date()
    given = {key: arguments[key] for key in (ATTR_START_DATE, ATTR_END_DATE) if key in arguments}
    if not given:
        return PERIODS[arguments.get(ATTR_PERIOD, DEFAULT_PERIOD)](today)
    if ATTR_PERIOD in arguments:
        return f"Give either {ATTR_PERIOD} or dates, not both"
    if ATTR_START_DATE not in given:
        return f"{ATTR_START_DATE} is missing"
    dates = {key: dt_util.parse_date(value) for key, value in given.items()}
    for key, day in dates.items():
        if day is None:
            return f"{key} is not a date such as {today.isoformat()}"
    return cast("tuple[date, date]", (dates[ATTR_START_DATE], dates.get(ATTR_END_DATE, today)))


def _credit(account: OpenAIAccountData) -> JsonValueType:
    """Return the credit that is left, and where the figure comes from."""
    if (left := credit_left(account)) is None:
        return None
    reported, recharge = account.current(CREDIT), account.store.recharge
    expiry = reported.next_grant_expiry if reported else None
    result: JsonObjectType = {
        "available": round_usd(left.amount),
        "source": "estimated" if left.estimated else "reported",
        "days_left": days_left(account),
        "next_expiry": expiry.isoformat() if expiry else None,
        "auto_recharge": recharge and recharge["enabled"],
    }
    if left.estimated and (anchor := account.store.anchor):
        result["last_known"] = {
            "amount": round_usd(anchor["amount"]),
            "time": anchor["time"],
            "source": anchor["source"],
        }
    return result


def _costs(account: OpenAIAccountData) -> JsonValueType:
    """Return the costs of the usual periods, as the sensors show them."""
    report = account.current(COSTS)
    if report is None or not report.complete:
        return None
    return {
        "today": round_usd(report.cost_today),
        "yesterday": round_usd(report.cost_yesterday),
        "last_7_days": round_usd(report.cost_last_7_days),
        "this_month": round_usd(report.cost_this_month),
        "last_month": round_usd(report.cost_last_month),
        "forecast_this_month": round_usd(report.forecast_this_month),
    }


def _budget(account: OpenAIAccountData) -> JsonValueType:
    """Return the budget of the month; it is OpenAI's spend limit if the user has set none."""
    if (budget := monthly_budget(account)) is None:
        return None
    used = budget_used(account) if account.current(COSTS) else None
    left = budget_left(account) if account.current(COSTS) else None
    return {"monthly": budget, "used_percent": used, "left": round_usd(left)}


def _limits(account: OpenAIAccountData) -> JsonValueType:
    """Return the limits that OpenAI has set, or the user at OpenAI."""
    plan, limit = account.current(SUBSCRIPTION), account.current(SPEND_LIMIT)
    return {
        "soft_limit": plan.soft_limit_usd if plan else None,
        "hard_limit": plan.hard_limit_usd if plan else None,
        "spend_limit": limit.amount if limit else None,
        "spend_limit_reached": limit.is_enforcing if limit else None,
    }


def _problems(hass: HomeAssistant, entry: OpenAIAccountConfigEntry) -> list[str]:
    """Return what is wrong with an account, as sentences."""
    account = entry.runtime_data
    threshold = account.options.low_balance_threshold
    report, plan = account.current(COSTS), account.current(SUBSCRIPTION)
    limit = account.current(SPEND_LIMIT)
    found: list[tuple[object, str]] = [
        (threshold and low_balance(account), f"The credit is below {threshold:g} {CURRENCY_USD}"),
        (report and over_budget(account), "This month is over budget"),
        (
            report
            and limit
            and limit.amount
            and report.cost_this_month >= limit.amount
            and not limit.is_enforcing,
            "This month has reached the spend limit",
        ),
        (
            limit and limit.is_enforcing,
            "OpenAI is enforcing the spend limit and refuses the organization's requests",
        ),
        (plan and plan.delinquent, "A payment is overdue"),
        (plan and plan.canceled, "The subscription is canceled"),
        (plan and plan.has_payment_method is False, "There is no payment method"),
    ]
    problems = [text for applies, text in found if applies]
    problems += [
        f"The {key.replace('_', ' ')} was rejected; the user has to enter a new one"
        for key in sorted(failed_keys(hass, entry.entry_id))
    ]
    problems += [
        f"{one.endpoint} is not available: {_reason(one)}"
        for one in account.coordinators
        if not one.last_update_success and one.is_served and one.status.failed_key is None
    ]
    return problems


def _reason(coordinator: AnyCoordinator) -> str:
    """Return why the last poll failed; an unexpected error's text is for the log alone."""
    error = coordinator.last_exception
    return str(error) if isinstance(error, UpdateFailed) else "an unexpected error occurred"
