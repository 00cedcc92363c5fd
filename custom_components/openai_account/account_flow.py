"""What the steps of the config flow share: forms, checks, and what follows new keys."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .api import DEFAULT_HOST, InvalidKeyError, KeyKind, OpenAIAccountError, base_url, extract_key
from .const import (
    ADMIN_KEYS_URL,
    BILLING_URL,
    CONF_DEFAULT_PROJECT,
    CONF_ORGANIZATION,
    CONF_SESSION_KEY,
    CONF_SESSION_KEY_ADDED,
    USAGE_URL,
)
from .coordinator import OpenAIAccountConfigEntry, keys_of
from .forms import REMOVALS, entered_keys, select
from .identity import (
    async_find_matches,
    async_is_still,
    shares_organization,
    shares_token,
)
from .issues import escape_markdown
from .names import distinct_account_name
from .status import clear_statuses
from .validation import (
    Account,
    ValidationFailedError,
    async_check_organization,
    async_validate,
)

CONF_ACCOUNTS = "accounts"


class AccountFlow(ConfigFlow):
    """The base of the config flow."""

    # Set by the step before the one that reads them
    _account: Account
    _organization: str | None

    def __init__(self) -> None:
        """Start without errors."""
        self._errors: dict[str, str] = {}
        self._minutes = 0

    # ---- Other keys for an account -------------------------------------------------------------

    @property
    def _entry(self) -> OpenAIAccountConfigEntry:
        """The entry that gets other keys."""
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        return self._get_reconfigure_entry()

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
        known = entry.data.get(CONF_ORGANIZATION)
        account = await self._async_check(host, keys, known)
        if account is None:
            return None
        self._account = account
        return await self._async_check_identity(entry)

    async def _async_check_identity(
        self, entry: OpenAIAccountConfigEntry
    ) -> ConfigFlowResult | None:
        """Refuse the keys of another account; ask the user where only they know."""
        account = self._account
        self._organization = entry.data.get(CONF_ORGANIZATION)
        if self._organization is None and account.organizations:
            belonging = await self._async_belonging(account)
            if not belonging:
                self._errors = self._errors or {"base": "wrong_account"}
                return None
            self._organization = belonging[0] if len(belonging) == 1 else None
        learned = None if CONF_ORGANIZATION in entry.data else self._organization
        if any(
            shares_token(account, self._organization, other) or shares_organization(learned, other)
            for other in self._async_current_entries()
            if other is not entry
        ):
            self._errors = {"base": "key_in_use"}
            return None
        is_still = await async_is_still(self.hass, entry, account)
        if is_still is None:
            matches = await async_find_matches(self.hass, account, self._organization, entry)
            if matches.same:
                self._errors = {"base": "key_in_use"}
                return None
            return await self.async_step_unknown_organization()
        if not is_still:
            self._errors = {"base": "wrong_account"}
            return None
        return await self._async_use_keys()

    async def _async_belonging(self, account: Account) -> list[str]:
        """Return the organizations that all keys of an account belong to."""
        ids = [one.id for one in account.organizations]
        if len(ids) == 1 or KeyKind.ADMIN not in account.keys:
            return ids
        found = []
        for one in ids:
            try:
                await async_check_organization(self.hass, account, one)
            except ValidationFailedError as err:
                if KeyKind.ADMIN not in err.errors:
                    self._errors, self._minutes = err.errors, err.minutes
                    return []
            else:
                found.append(one)
        return found

    async def async_step_unknown_organization(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the new key belongs to the organization of the account."""
        return self.async_show_menu(
            step_id="unknown_organization",
            menu_options=["same_organization", "other_key"],
            description_placeholders={
                "account": escape_markdown(distinct_account_name(self.hass, self._entry)),
                "admin_keys_url": ADMIN_KEYS_URL,
            },
        )

    async def async_step_same_organization(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Use the key, which only the user knows to belong to the account."""
        return await self._async_use_keys()

    @abstractmethod
    async def async_step_other_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for another key."""

    async def _async_use_keys(self) -> ConfigFlowResult:
        """Store the keys; a new session key is offered to the person's other accounts first."""
        entry, account = self._entry, self._account
        is_new = account.keys.get(KeyKind.SESSION) != entry.data.get(KeyKind.SESSION)
        if is_new and self._siblings(entry, account):
            return await self.async_step_siblings()
        return self._finish_update(entry, account)

    async def async_step_siblings(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer the new session key to the other accounts of the same person."""
        entry, account = self._entry, self._account
        siblings = self._siblings(entry, account)
        if user_input is None:
            names = {one.entry_id: distinct_account_name(self.hass, one) for one in siblings}
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
                        CONF_SESSION_KEY_ADDED: now(),
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
            entry, data=entry_data(account, self._organization, entry.data)
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


def now() -> str:
    """Return the time as entries store it."""
    return dt_util.utcnow().isoformat()


def entry_data(
    account: Account, organization: str | None, before: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Return an entry's data; `before` is what it has been, which knows the age of an old key."""
    before = before or {}
    kept = {name: before[name] for name in before.keys() & {CONF_DEFAULT_PROJECT}}
    data = kept | account.data(organization)
    if KeyKind.SESSION not in account.keys:
        return data
    if account.keys[KeyKind.SESSION] != before.get(KeyKind.SESSION):
        return data | {CONF_SESSION_KEY_ADDED: now()}
    added = before.keys() & {CONF_SESSION_KEY_ADDED}
    return data | {name: before[name] for name in added}
