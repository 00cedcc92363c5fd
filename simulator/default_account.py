"""The simulated account as it is at first: three API keys in two projects, and who pays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from .catalog import VECTOR_STORAGE, meter_of
from .ledger import ASSISTANT_DAY, BOT_DAY, EVENLY, JSON, LAPTOP_DAY, LineItem
from .organization import ApiKey, Organization, Project

_OWNER = "user-SimulatedExample01"
_BOT = "user-SimulatedBot01"


def _time(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, 10, 30, tzinfo=UTC).timestamp())


def organizations() -> list[Organization]:
    """Return the one organization of the account's owner."""
    return [Organization("org-SimulatedExampleHome01", "Example Home", True)]


def projects() -> list[Project]:
    """Return the projects, the oldest first; the last one is archived."""
    return [
        Project("proj_default", "Default project", _time(2023, 5, 4)),
        Project("proj_voice", "Voice assistant", _time(2025, 2, 14), spend_limit_cents=6_000),
        Project("proj_trial", "Trial", _time(2024, 8, 1), archived_at=_time(2025, 1, 20)),
    ]


def api_keys() -> list[ApiKey]:
    """Return the API keys."""
    return [
        ApiKey("key_SimulatedVoice01", "Voice assistant", "proj_voice", _time(2025, 2, 14), _OWNER),
        ApiKey("key_SimulatedBot01", "Chat bot", "proj_default", _time(2024, 3, 2), _BOT),
        ApiKey("key_SimulatedLaptop01", "Laptop", "proj_default", _time(2025, 9, 9), _OWNER),
    ]


def _streams(
    key: ApiKey,
    project_name: str,
    hours: tuple[int, ...],
    cents: dict[str, float],
    requests: int,
) -> list[LineItem]:
    """Return what a key uses on a usual day: line items with their cost and requests."""
    found = []
    for name, cost in cents.items():
        meter = meter_of(name)
        found.append(
            LineItem(
                name,
                cost,
                key.project_id,
                project_name,
                key.id,
                user_id=key.owner_id,
                api_source="agents_api" if key.owner_id == _BOT else "unlabeled",
                # Replaced on each day
                quantity=1,
                unit=meter.unit if meter else None,
                requests=requests,
                endpoint=meter.endpoint if meter else None,
                count=meter.count if meter else None,
                model=meter.model if meter else None,
                service_tier=meter.service_tier if meter else None,
                batch=meter.batch if meter else None,
                hours=hours,
            )
        )
    return found


def streams() -> list[LineItem]:
    """Return what the account uses on a usual day, in US cents."""
    voice, bot, laptop = api_keys()
    bot_streams = _streams(
        bot,
        "Default project",
        BOT_DAY,
        {
            "gpt-5.5, input": 40.0,
            "gpt-5.5, cached input": 7.0,
            "gpt-5.5, output": 56.0,
            "text-embedding-3-large": 4.0,
            "assistants api | file search": 1.5,
            "assistants api | code interpreter": 3.0,
        },
        240,
    )
    return [
        *_streams(
            voice,
            "Voice assistant",
            ASSISTANT_DAY,
            {
                "gpt-5.5, input": 11.0,
                "gpt-5.5, output": 20.0,
                "gpt-5-mini, input": 14.0,
                "gpt-5-mini, output": 21.0,
                "web search tool calls": 12.0,
                "tts-1": 3.0,
                "whisper-1": 2.0,
            },
            130,
        ),
        *bot_streams,
        # Moderation is free: it is in the usage alone.
        LineItem(
            "omni-moderation-latest",
            0.0,
            bot.project_id,
            "Default project",
            bot.id,
            user_id=_BOT,
            api_source="agents_api",
            quantity=36_000,
            unit="tokens",
            requests=240,
            endpoint="moderations",
            count="input_tokens",
            model="omni-moderation-latest",
            hours=BOT_DAY,
            billed=False,
        ),
        # No key's: the stores are kept whether somebody searches them or not.
        LineItem(VECTOR_STORAGE, 2.0, quantity=1.0, unit="gibibyte_hours", hours=EVENLY),
        *_streams(
            laptop,
            "Default project",
            LAPTOP_DAY,
            {
                "gpt-5.5, input": 22.0,
                "gpt-5.5, cached input": 2.0,
                "gpt-5.5, output": 32.0,
                "gpt-image-2, output": 34.0,
            },
            70,
        ),
    ]


def generated(models: int, keys: int, *, shared: bool) -> tuple[list[LineItem], list[ApiKey]]:
    """Return what an account of many models and keys uses on a usual day, and its keys.

    Each model is used by one of the keys, or, where it is `shared`, by each of them.
    """
    found = [
        ApiKey(
            f"key_Simulated{index:04}",
            f"Key {index + 1}",
            ("proj_default", "proj_voice")[index % 2],
            _time(2025, 1, 1 + index % 28),
            _OWNER,
        )
        for index in range(keys)
    ]
    names = {one.id: one.name for one in projects()}
    days = (ASSISTANT_DAY, BOT_DAY, LAPTOP_DAY)
    items: list[LineItem] = []
    for index in range(models):
        users: Sequence[ApiKey] = found if shared else [found[index % keys]]
        for number, key in enumerate(users):
            name = f"model-{index:03}"
            cents = 300 / models / len(users)
            directions = ("input", "cached input", "output")
            items += _streams(
                key,
                names[key.project_id],
                days[number % 3],
                {f"{name}, {direction}": cents for direction in directions},
                40,
            )
    return items, found


def subscription() -> dict[str, JSON]:
    """Return the response of `subscription`."""
    address: dict[str, JSON] = {
        "city": "Exampletown",
        "line1": "12 Simulated Street",
        "line2": "",
        "state": "EX",
        "country": "US",
        "postal_code": "00001",
    }
    return {
        "object": "billing_subscription",
        "has_payment_method": True,
        "canceled": False,
        "canceled_at": None,
        "delinquent": False,
        "access_until": 1861920000,
        "soft_limit": 1333333,
        "hard_limit": 2000000,
        "system_hard_limit": 3333333,
        "soft_limit_usd": 79.99998,
        "hard_limit_usd": 120.0,
        "system_hard_limit_usd": 199.99998,
        "plan": {"title": "Pay-as-you-go", "id": "payg"},
        "primary": True,
        "account_name": "Erika Example",
        "po_number": "PO-2026-0042",
        "billing_email": "billing@example.com",
        "tax_ids": [{"type": "eu_vat", "value": "XX123456789"}],
        "billing_address": address,
        "business_address": None,
        "billing_mechanism": "advance",
        "is_arrears_eligible": False,
        "max_balance": 500.0,
        "auto_recharge_eligible": True,
        "auto_recharge_enabled": False,
        "auto_recharge_threshold": None,
        "auto_recharge_to_balance": None,
        "trust_tier": "tier_2",
    }
