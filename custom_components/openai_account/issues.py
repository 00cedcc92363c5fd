"""Repairs: what only the user can set right, and does not see otherwise."""

from __future__ import annotations

from datetime import datetime
import re
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .names import distinct_account_name

if TYPE_CHECKING:
    from .coordinator import OpenAIAccountConfigEntry

# What the frontend takes for formatting, a link, an image, HTML or an entity. Nothing in
# the names of models, such as `gpt-4.1-mini` or `web search | tool_calls`, is among it.
_MARKDOWN = re.compile(
    r"([\\`*\[\]<>&~@]|:(?=//)|(?<=[wW]{3})\.|^[-+#=]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))"
)


def escape_markdown(text: str) -> str:
    """Return a text that was entered, or sent by a host, as it looks where Markdown is shown.

    The blueprint of the cost report has the same expression.
    """
    return _MARKDOWN.sub(r"\\\1", text)


def _issue_id(translation_key: str, entry_id: str, subject: str) -> str:
    return "_".join(part for part in (translation_key, subject, entry_id) if part)


@callback
def create_issue(
    hass: HomeAssistant,
    entry_id: str,
    translation_key: str,
    subject: str = "",
    placeholders: dict[str, str] | None = None,
) -> None:
    """Show a repair of an entry; `subject` tells repairs of the same kind apart."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(translation_key, entry_id, subject),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=translation_key,
        translation_placeholders=placeholders,
    )


@callback
def create_key_issue(
    hass: HomeAssistant,
    entry: OpenAIAccountConfigEntry,
    translation_key: str,
    end: datetime,
    **urls: str,
) -> None:
    """Show a repair that says when a key of an entry ends; `urls` are where to get another."""
    account = distinct_account_name(hass, entry)
    create_issue(
        hass,
        entry.entry_id,
        translation_key,
        placeholders={
            "account": account,
            "account_text": escape_markdown(account),
            "date": dt_util.as_local(end).date().isoformat(),
            "integration_url": f"/config/integrations/integration/{DOMAIN}",
            **urls,
        },
    )


@callback
def delete_issue(
    hass: HomeAssistant, entry_id: str, translation_key: str, subject: str = ""
) -> None:
    """Delete a repair of an entry, if there is one."""
    ir.async_delete_issue(hass, DOMAIN, _issue_id(translation_key, entry_id, subject))


@callback
def delete_issues(hass: HomeAssistant, entry_id: str) -> None:
    """Delete all repairs of an entry."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.endswith(f"_{entry_id}"):
            ir.async_delete_issue(hass, domain, issue_id)
