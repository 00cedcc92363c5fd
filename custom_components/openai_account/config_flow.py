"""The config flow: user, organization, reauthentication and reconfiguration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import SOURCE_IMPORT, SOURCE_REAUTH, ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_HOST, CONF_NAME
from homeassistant.core import callback
import voluptuous as vol

from .account_flow import AccountFlow, entry_data, now
from .api import InvalidAuthError, KeyKind, Organization
from .const import CONF_CREDIT, CONF_ENTERED_CREDIT, CONF_ORGANIZATION, DOMAIN
from .coordinator import OpenAIAccountConfigEntry, keys_of
from .forms import KEY, USER_SCHEMA, entered_keys, masked, reconfigure_schema, select
from .identity import async_find_matches, distinct, new_identity
from .issues import escape_markdown
from .names import distinct_account_name
from .options_flow import OpenAIAccountOptionsFlow
from .status import failed_keys
from .validation import (
    DEFAULT_TITLE,
    Account,
    ValidationFailedError,
    async_check_organization,
)

CONF_ACCOUNT = "account"
_MAX_TITLE = 100


class OpenAIAccountConfigFlow(AccountFlow, domain=DOMAIN):
    """Asks for an account and checks it before anything is stored."""

    VERSION = 1

    # Set by the step before the one that reads it
    _unchecked: list[Organization | None]
    _new: list[Organization | None]
    _possible: list[OpenAIAccountConfigEntry]

    def __init__(self) -> None:
        """Start with nothing entered."""
        super().__init__()
        self._name = ""
        self._credit: float | None = None

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: OpenAIAccountConfigEntry) -> OptionsFlow:
        """Return the options flow."""
        return OpenAIAccountOptionsFlow()

    # ---- A new account -------------------------------------------------------------------------

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for host and keys."""
        if user_input is not None and (
            account := await self._async_check(user_input[CONF_HOST], entered_keys(user_input))
        ):
            self._name = " ".join(user_input.get(CONF_NAME, "").split())
            self._credit = user_input.get(CONF_CREDIT)
            self._account = account
            if len(account.organizations) > 1:
                return await self.async_step_organization()
            return await self._async_add(*account.organizations[:1])
        return self._show("user", USER_SCHEMA, user_input)

    async def async_step_organization(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which of the organizations of the key's owner to add."""
        account = self._account
        known = self._async_current_ids(include_ignore=False) | {
            one.data.get(CONF_ORGANIZATION) for one in self._async_current_entries()
        }
        choices = [one for one in account.organizations if one.id not in known]
        if not choices:
            return self.async_abort(reason="already_configured")
        if user_input is not None:
            chosen = user_input[CONF_ORGANIZATION]
            ids = chosen if isinstance(chosen, list) else [chosen]
            organizations = [one for one in choices if one.id in ids]
            if not organizations:
                self._errors = {CONF_ORGANIZATION: "no_organization"}
            elif await self._async_belongs(account, organizations[0].id):
                return await self._async_add(*organizations)
        # An admin key belongs to one organization, so only one can be chosen with it.
        several = KeyKind.ADMIN not in account.keys
        first = choices[0].id
        titles = self._titles(account)
        return self._show(
            "organization",
            vol.Schema(
                {
                    vol.Required(CONF_ORGANIZATION, default=[first] if several else first): select(
                        {one.id: titles[one.id] for one in choices}, several=several
                    )
                }
            ),
            user_input,
        )

    async def async_step_import(self, import_data: dict[str, Any]) -> ConfigFlowResult:
        """Add another organization that was chosen together with the first."""
        await self.async_set_unique_id(import_data["data"][CONF_ORGANIZATION])
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=import_data["title"], data=import_data["data"])

    async def _async_add(self, *organizations: Organization) -> ConfigFlowResult:
        """Add what is not set up already; ask the user where only they know."""
        self._unchecked = [*organizations] or [None]
        self._new = []
        return await self._async_add_next()

    async def _async_add_next(self) -> ConfigFlowResult:
        while self._unchecked:
            one = self._unchecked[0]
            matches = await async_find_matches(self.hass, self._account, one.id if one else None)
            if matches.possible and not matches.same:
                self._possible = matches.possible
                return await self.async_step_known_account()
            del self._unchecked[0]
            if not matches.same:
                self._new.append(one)
        if not self._new:
            return self.async_abort(reason="already_configured")
        return await self._async_create(self._account, *(one for one in self._new if one))

    async def async_step_known_account(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether one of the accounts is that of the same organization."""
        if user_input is None:
            names = {one.entry_id: distinct_account_name(self.hass, one) for one in self._possible}
            schema = vol.Schema({vol.Optional(CONF_ACCOUNT): select(names, several=False)})
            one = self._unchecked[0]
            title = f"**{escape_markdown(one.title or one.id)}**\n\n" if one else ""
            return self._show("known_account", schema, None, organization=title)
        one = self._unchecked.pop(0)
        if not user_input.get(CONF_ACCOUNT):
            self._new.append(one)
        return await self._async_add_next()

    async def _async_create(
        self, account: Account, *organizations: Organization
    ) -> ConfigFlowResult:
        """Create the entry of the first organization; each other one gets a flow of its own."""
        organization = organizations[0].id if organizations else None
        taken = self._async_current_ids(include_ignore=False)
        await self.async_set_unique_id(new_identity(account, organization, taken))
        self._abort_if_unique_id_configured()
        titles = self._titles(account)
        for other in organizations[1:]:
            self.hass.async_create_task(
                self.hass.config_entries.flow.async_init(
                    DOMAIN,
                    context={"source": SOURCE_IMPORT},
                    data={
                        "title": titles[other.id],
                        "data": entry_data(account, other.id),
                    },
                )
            )
        title = self._name[:_MAX_TITLE]
        if not title and organizations and organizations[0].title:
            title = titles[organizations[0].id]
        data: dict[str, Any] = entry_data(account, organization)
        if self._credit is not None:
            # The first setup compares the amount with the costs at this time.
            data[CONF_ENTERED_CREDIT] = {"amount": self._credit, "time": now()}
        return self.async_create_entry(title=title or DEFAULT_TITLE, data=data)

    def _titles(self, account: Account) -> dict[str, str]:
        """Return what to call each organization of an account, by its id."""
        ids = {one.id for one in account.organizations}
        taken = [one.title for one in self._async_current_entries() if one.unique_id not in ids]
        return distinct(
            ((one.id, (one.title or one.id)[:_MAX_TITLE]) for one in account.organizations), taken
        )

    async def _async_belongs(self, account: Account, organization: str) -> bool:
        try:
            await async_check_organization(self.hass, account, organization)
        except ValidationFailedError as err:
            self._minutes = err.minutes
            # The form has a single field, so every error of a key belongs to it.
            self._errors = {
                "base" if field == "base" else CONF_ORGANIZATION: code
                for field, code in err.errors.items()
            }
            return False
        return True

    # ---- Other keys for an account -------------------------------------------------------------

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start to replace a key that no longer works."""
        return await self._async_step_reauth(None)

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new session key, or for both keys if neither works."""
        return await self._async_step_reauth(user_input)

    async def async_step_reauth_admin_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new admin key."""
        return await self._async_step_reauth(user_input)

    async def _async_step_reauth(self, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Ask for the keys that no longer work, and for nothing else."""
        entry = self._get_reauth_entry()
        if user_input is not None and (
            result := await self._async_update(entry, entry.data[CONF_HOST], user_input)
        ):
            return result
        # Another key can have failed since the form was shown.
        stored = keys_of(entry)
        asked = failed_keys(self.hass, entry.entry_id) & stored.keys() or {next(iter(stored))}
        if user_input is None and len(asked) > 1:
            self._errors = dict.fromkeys(asked, InvalidAuthError.code)
        if any(kind in self._errors for kind in stored.keys() - asked):
            self._errors = {
                field: code for field, code in self._errors.items() if field in asked
            } | {"base": "other_key_rejected"}
        return self._show(
            "reauth_confirm" if KeyKind.SESSION in asked else "reauth_admin_key",
            vol.Schema({vol.Optional(kind.value): KEY for kind in KeyKind if kind in asked}),
            user_input,
            account=escape_markdown(distinct_account_name(self.hass, entry)),
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for another host or other keys of the same account."""
        entry = self._get_reconfigure_entry()
        if user_input is not None and (
            result := await self._async_update(entry, user_input[CONF_HOST], user_input)
        ):
            return result
        return self._show(
            "reconfigure",
            reconfigure_schema(entry),
            user_input or {CONF_HOST: entry.data[CONF_HOST]},
            **{f"stored_{kind}": masked(entry, kind) for kind in KeyKind},
        )

    @override
    async def async_step_other_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the form again, for another key."""
        if self.source == SOURCE_REAUTH:
            return await self._async_step_reauth(None)
        return await self.async_step_reconfigure()
