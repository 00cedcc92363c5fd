"""The config flow: user, organization, reauthentication and reconfiguration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_IMPORT,
    SOURCE_REAUTH,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_NAME
from homeassistant.core import callback
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .api import (
    DEFAULT_HOST,
    InvalidAuthError,
    InvalidKeyError,
    KeyKind,
    OpenAIAccountError,
    Organization,
    base_url,
    extract_key,
)
from .const import (
    ADMIN_KEYS_URL,
    BILLING_URL,
    CONF_CREDIT,
    CONF_ENTERED_CREDIT,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    CONF_SESSION_KEY_ADDED,
    DOMAIN,
    USAGE_URL,
)
from .coordinator import OpenAIAccountConfigEntry, keys_of
from .forms import KEY, REMOVALS, USER_SCHEMA, entered_keys, masked, reconfigure_schema, select
from .issues import escape_markdown
from .options_flow import OpenAIAccountOptionsFlow
from .status import clear_statuses, failed_keys
from .validation import (
    DEFAULT_TITLE,
    Account,
    ValidationFailedError,
    async_check_organization,
    async_validate,
)

CONF_ACCOUNTS = "accounts"
_MAX_TITLE = 100


class OpenAIAccountConfigFlow(ConfigFlow, domain=DOMAIN):
    """Asks for an account and checks it before anything is stored."""

    VERSION = 1

    # Set by the step before the one that reads it
    _account: Account

    def __init__(self) -> None:
        """Start without errors."""
        self._errors: dict[str, str] = {}
        self._minutes = 0
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
            if len(account.organizations) > 1:
                self._account = account
                return await self.async_step_organization()
            return await self._async_create(account, *account.organizations[:1])
        return self._show("user", USER_SCHEMA, user_input)

    async def async_step_organization(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which of the organizations of the key's owner to add."""
        account = self._account
        known = self._async_current_ids(include_ignore=False)
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
                return await self._async_create(account, *organizations)
        # An admin key belongs to one organization, so only one can be chosen with it.
        several = KeyKind.ADMIN not in account.keys
        first = choices[0].id
        return self._show(
            "organization",
            vol.Schema(
                {
                    vol.Required(CONF_ORGANIZATION, default=[first] if several else first): select(
                        {one.id: one.title or one.id for one in choices}, several=several
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

    async def _async_create(
        self, account: Account, *organizations: Organization
    ) -> ConfigFlowResult:
        """Create the entry of the first organization; each other one gets a flow of its own."""
        organization = organizations[0] if organizations else None
        await self.async_set_unique_id(organization.id if organization else account.identity())
        self._abort_if_unique_id_configured()
        for other in organizations[1:]:
            self.hass.async_create_task(
                self.hass.config_entries.flow.async_init(
                    DOMAIN,
                    context={"source": SOURCE_IMPORT},
                    data={
                        "title": (other.title or other.id)[:_MAX_TITLE],
                        "data": _data(account, other.id),
                    },
                )
            )
        title = self._name or (organization and organization.title) or DEFAULT_TITLE
        data: dict[str, Any] = _data(account, organization.id if organization else None)
        if self._credit is not None:
            # The first setup compares the amount with the costs at this time.
            data[CONF_ENTERED_CREDIT] = {"amount": self._credit, "time": _now()}
        return self.async_create_entry(title=title[:_MAX_TITLE], data=data)

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
            account=escape_markdown(entry.title),
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

    async def _async_update(
        self, entry: OpenAIAccountConfigEntry, host: str, user_input: dict[str, Any]
    ) -> ConfigFlowResult | None:
        """Check new keys together with those that stay; None if the form has to be shown again."""
        kept = {
            kind: key
            for kind, key in keys_of(entry).items()
            if not user_input.get(REMOVALS[kind], False)
        }
        keys = kept | entered_keys(user_input)
        if kept.keys() - entered_keys(user_input) and not _same_host(host, entry.data[CONF_HOST]):
            # Whoever may change the host does not necessarily know the key.
            self._errors = {
                str(kind): "key_for_new_host" for kind in kept.keys() - entered_keys(user_input)
            }
            return None
        organization = entry.data.get(CONF_ORGANIZATION)
        account = await self._async_check(host, keys, organization)
        if account is None:
            return None
        is_new = account.keys.get(KeyKind.SESSION) != entry.data.get(KeyKind.SESSION)
        if is_new and self._siblings(entry, account):
            self._account = account
            return await self.async_step_siblings()
        return self._finish_update(entry, account)

    async def async_step_siblings(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer the new session key to the other accounts of the same person."""
        entry = (
            self._get_reauth_entry()
            if self.source == SOURCE_REAUTH
            else self._get_reconfigure_entry()
        )
        account = self._account
        siblings = self._siblings(entry, account)
        if user_input is None:
            names = {one.entry_id: one.title for one in siblings}
            schema = vol.Schema(
                {vol.Optional(CONF_ACCOUNTS, default=list(names)): select(names, several=True)}
            )
            return self._show("siblings", schema, None)
        for sibling in siblings:
            if sibling.entry_id in user_input.get(CONF_ACCOUNTS, ()):
                clear_statuses(self.hass, sibling.entry_id)
                self.hass.config_entries.async_update_entry(
                    sibling,
                    data={
                        **sibling.data,
                        CONF_SESSION_KEY: account.keys[KeyKind.SESSION],
                        CONF_SESSION_KEY_ADDED: _now(),
                    },
                )
                self.hass.config_entries.async_schedule_reload(sibling.entry_id)
        return self._finish_update(entry, account)

    def _siblings(
        self, entry: OpenAIAccountConfigEntry, account: Account
    ) -> list[OpenAIAccountConfigEntry]:
        """Return the other accounts that the new session key opens and that lack it."""
        key = account.keys.get(KeyKind.SESSION)
        known = {one.id for one in account.organizations}
        return [
            other
            for other in self._async_current_entries()
            if other.entry_id != entry.entry_id
            and other.data[CONF_HOST] == account.host
            and other.data.get(CONF_ORGANIZATION) in known
            and other.data.get(KeyKind.SESSION) not in (None, key)
        ]

    def _finish_update(self, entry: OpenAIAccountConfigEntry, account: Account) -> ConfigFlowResult:
        clear_statuses(self.hass, entry.entry_id)
        return self.async_update_reload_and_abort(
            entry, data=_data(account, entry.data.get(CONF_ORGANIZATION), entry.data)
        )

    # ---- Shared by all steps -------------------------------------------------------------------

    def _show(
        self,
        step_id: str,
        schema: vol.Schema,
        values: Mapping[str, Any] | None,
        **placeholders: str,
    ) -> ConfigFlowResult:
        """Show a form with what was entered before, except for what was wrong with the keys.

        A key that can stay goes back to the browser that has just sent it, over the
        same connection and for nobody else: the flow's progress does not include it,
        and opening the form again leaves it empty. The rest of what was pasted with
        the key does not go back.
        """
        shown = {key: value for key, value in (values or {}).items() if key not in set(KeyKind)}
        if self._errors.get("base") != "wrong_account":
            shown |= {
                kind: key
                for kind, text in entered_keys(values or {}).items()
                if kind not in self._errors and (key := _key_in(text, kind))
            }
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors={str(field): code for field, code in self._errors.items()},
            description_placeholders={
                "usage_url": USAGE_URL,
                "billing_url": BILLING_URL,
                "admin_keys_url": ADMIN_KEYS_URL,
                "default_host": DEFAULT_HOST,
                "minutes": str(self._minutes),
                **placeholders,
            },
        )

    async def _async_check(
        self, host: str, keys: Mapping[KeyKind, str], organization: str | None = None
    ) -> Account | None:
        """Check an account; None if it is rejected, with the reasons in `_errors`."""
        self._errors = {}
        try:
            return await async_validate(self.hass, host, keys, organization)
        except ValidationFailedError as err:
            self._errors = err.errors
            self._minutes = err.minutes
        return None


def _same_host(typed: str, known: str) -> bool:
    try:
        return str(base_url(typed)) == known
    except OpenAIAccountError:
        # The check that follows reports what is wrong with the host; nothing is sent.
        return True


def _key_in(text: str, kind: KeyKind) -> str | None:
    try:
        return extract_key(text, kind)
    except InvalidKeyError:
        return None


def _now() -> str:
    return dt_util.utcnow().isoformat()


def _data(
    account: Account, organization: str | None, before: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Return an entry's data; `before` is what it has been, which knows the age of an old key."""
    data = account.data(organization)
    before = before or {}
    if KeyKind.SESSION not in account.keys:
        return data
    if account.keys[KeyKind.SESSION] != before.get(KeyKind.SESSION):
        return data | {CONF_SESSION_KEY_ADDED: _now()}
    kept = before.keys() & {CONF_SESSION_KEY_ADDED}
    return data | {name: before[name] for name in kept}
