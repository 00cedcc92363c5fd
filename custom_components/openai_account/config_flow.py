"""The config flow: user, reauthentication and reconfiguration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import hashlib
import logging
import math
from typing import Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_NAME
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from . import async_create_client
from .api import (
    DEFAULT_HOST,
    BlockedError,
    CannotConnectError,
    EndpointMissingError,
    InvalidAuthError,
    InvalidHostError,
    InvalidKeyError,
    InvalidResponseError,
    OpenAIAccountClient,
    OpenAIAccountError,
    Organization,
    RateLimitedError,
    base_url,
    clean_key,
)
from .const import CONF_ORGANIZATION, CONF_SESSION_KEY, DOMAIN, USAGE_URL
from .coordinator import OpenAIAccountConfigEntry, clear_pauses

_LOGGER = logging.getLogger(__name__)

DEFAULT_TITLE = "OpenAI"
_MAX_TITLE = 100

_HOST = TextSelector(TextSelectorConfig(autocomplete="off"))
_KEY = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
_NAME = TextSelector()

USER_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST, default=DEFAULT_HOST): _HOST,
        vol.Required(CONF_SESSION_KEY): _KEY,
        vol.Optional(CONF_NAME): _NAME,
    }
)
RECONFIGURE_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): _HOST,
        vol.Required(CONF_SESSION_KEY): _KEY,
    }
)
REAUTH_SCHEMA = vol.Schema({vol.Required(CONF_SESSION_KEY): _KEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that answered."""

    host: str
    session_key: str
    organizations: tuple[Organization, ...]
    title: str

    def data(self, organization: str | None) -> dict[str, str]:
        """Return what the entry keeps."""
        data = {CONF_HOST: self.host, CONF_SESSION_KEY: self.session_key}
        return data | {CONF_ORGANIZATION: organization} if organization else data


class OpenAIAccountConfigFlow(ConfigFlow, domain=DOMAIN):
    """Asks for an account and checks it before anything is kept."""

    VERSION = 1

    def __init__(self) -> None:
        """Start without errors."""
        self._errors: dict[str, str] = {}
        self._minutes = 0

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for host and key."""
        if user_input is not None and (
            account := await self._async_check(user_input[CONF_HOST], user_input[CONF_SESSION_KEY])
        ):
            organization = account.organizations[0] if account.organizations else None
            await self.async_set_unique_id(
                organization.id if organization else _digest(account.host, account.session_key)
            )
            self._abort_if_unique_id_configured()
            name = " ".join(user_input.get(CONF_NAME, "").split())
            title = name or (organization and organization.title) or account.title
            return self.async_create_entry(
                title=title[:_MAX_TITLE],
                data=account.data(organization.id if organization else None),
            )
        return self._show("user", USER_SCHEMA, user_input)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start to replace a key that no longer works."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new key."""
        entry = self._get_reauth_entry()
        if user_input is not None and (
            result := await self._async_update(
                entry, entry.data[CONF_HOST], user_input[CONF_SESSION_KEY]
            )
        ):
            return result
        return self._show("reauth_confirm", REAUTH_SCHEMA, user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for another host or key of the same account."""
        entry = self._get_reconfigure_entry()
        if user_input is not None and (
            result := await self._async_update(
                entry, user_input[CONF_HOST], user_input[CONF_SESSION_KEY]
            )
        ):
            return result
        return self._show(
            "reconfigure", RECONFIGURE_SCHEMA, user_input or {CONF_HOST: entry.data[CONF_HOST]}
        )

    async def _async_update(
        self, entry: OpenAIAccountConfigEntry, host: str, session_key: str
    ) -> ConfigFlowResult | None:
        """Check a new host and key and keep them; None where the form has to be shown again."""
        account = await self._async_check(host, session_key)
        if account is None:
            return None
        organization = entry.data.get(CONF_ORGANIZATION)
        known = {one.id for one in account.organizations}
        if organization and known and organization not in known:
            self._errors["base"] = "wrong_account"
            return None
        clear_pauses(self.hass, entry.entry_id)
        return self.async_update_reload_and_abort(
            entry, data_updates={CONF_HOST: account.host, CONF_SESSION_KEY: account.session_key}
        )

    def _show(
        self, step_id: str, schema: vol.Schema, values: Mapping[str, Any] | None
    ) -> ConfigFlowResult:
        """Show a form with what was typed before, but for the key."""
        shown = {key: value for key, value in (values or {}).items() if key != CONF_SESSION_KEY}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=self._errors,
            description_placeholders={
                "usage_url": USAGE_URL,
                "default_host": DEFAULT_HOST,
                "minutes": str(self._minutes),
            },
        )

    async def _async_check(self, host: str, session_key: str) -> Account | None:
        """Ask an account; None, and what to say of it in `_errors`, where it does not answer."""
        self._errors = {}
        try:
            return await self._async_ask(host, session_key)
        except (InvalidHostError, InvalidKeyError, OpenAIAccountError) as err:
            self._errors = _error_of(err)
            if isinstance(err, RateLimitedError):
                self._minutes = max(1, math.ceil((err.retry_after or 300) / 60))
        except Exception as err:
            # The traceback tells where, its type what; a text could repeat the key.
            _LOGGER.error(  # noqa: TRY400
                "Unexpected %s while asking the account", type(err).__name__, exc_info=_bare(err)
            )
            self._errors = {"base": "unknown"}
        return None

    async def _async_ask(self, host: str, session_key: str) -> Account:
        """Ask an account whether the key is good, and who it is; raises the client's errors.

        No organization is named in the requests: a key of another one is to be
        told from a key that is no good.
        """
        key = clean_key(session_key)
        url = str(base_url(host))
        client = await async_create_client(self.hass, url, key)
        name: str | None = None
        try:
            await client.credit_grants()
        except EndpointMissingError:
            name = (await client.subscription()).account_name
        organizations = await _organizations(client)
        if name is None and not (organizations and organizations[0].title):
            name = await _account_name(client)
        return Account(
            host=url,
            session_key=key,
            organizations=organizations,
            title=name or DEFAULT_TITLE,
        )


async def _organizations(client: OpenAIAccountClient) -> tuple[Organization, ...]:
    """Return the organizations, none where the host does not tell them.

    A passing fault is none of that: the account would get another identity.
    """
    try:
        return await client.organizations()
    except EndpointMissingError, InvalidAuthError, BlockedError, InvalidResponseError:
        return ()


async def _account_name(client: OpenAIAccountClient) -> str | None:
    try:
        return (await client.subscription()).account_name
    except OpenAIAccountError:
        return None


def _digest(host: str, session_key: str) -> str:
    """Return an identity for an account that does not tell its own."""
    return hashlib.sha256(f"{host}\0{session_key}".encode()).hexdigest()[:32]


def _error_of(err: OpenAIAccountError) -> dict[str, str]:
    """Return an error at the field that it is about, or at the form."""
    if isinstance(err, CannotConnectError):
        return {"base": CannotConnectError.code}
    if isinstance(err, EndpointMissingError):
        return {"base": InvalidResponseError.code}
    if isinstance(err, InvalidKeyError | InvalidAuthError):
        return {CONF_SESSION_KEY: err.code}
    if isinstance(err, InvalidHostError) or err.code == "insecure_host":
        return {CONF_HOST: err.code}
    return {"base": err.code}


def _bare(err: BaseException) -> BaseException:
    """Return an exception of the same place without its text."""
    return RuntimeError(type(err).__name__).with_traceback(err.__traceback__)
