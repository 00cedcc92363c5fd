"""Checks an account's keys and identity before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
import logging
import math

from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .api import (
    CannotConnectError,
    EndpointMissingError,
    ForbiddenError,
    InvalidAuthError,
    InvalidHostError,
    InvalidKeyError,
    InvalidResponseError,
    KeyKind,
    OpenAIAccountClient,
    OpenAIAccountError,
    Organization,
    RateLimitedError,
    WebPageError,
    base_url,
    extract_key,
    time_limit,
    window,
)
from .client import async_create_client
from .const import CONF_DEFAULT_PROJECT, CONF_ORGANIZATION

_LOGGER = logging.getLogger(__name__)

# The user waits before an open dialog for all requests together.
_SECONDS = 60.0

# Not the name in the subscription, which is a person's: titles are in names of entities.
DEFAULT_TITLE = "OpenAI"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A validated account.

    `organizations` are those of the session key's owner, or the admin key's one; none
    where the host does not report them. `default_project` is the oldest project of the
    admin key's organization, None where the key may not read it.
    """

    host: str
    keys: Mapping[KeyKind, str]
    organizations: tuple[Organization, ...]
    default_project: str | None = None

    def data(self, organization: str | None) -> dict[str, str]:
        """Return the data of the config entry."""
        data = {CONF_HOST: self.host, **{str(kind): key for kind, key in self.keys.items()}}
        if self.default_project:
            data[CONF_DEFAULT_PROJECT] = self.default_project
        return data | {CONF_ORGANIZATION: organization} if organization else data


class ValidationFailedError(Exception):
    """The account cannot be stored like this.

    `errors` are the error codes by form field, or by "base"; `minutes` is how long
    to wait after too many requests.
    """

    def __init__(self, errors: dict[str, str], minutes: int = 0) -> None:
        """Store the errors."""
        super().__init__()
        self.errors = errors
        self.minutes = minutes


async def async_validate(
    hass: HomeAssistant, host: str, keys: Mapping[KeyKind, str], organization: str | None = None
) -> Account:
    """Check each key of an account, which has to be of `organization` if that is given.

    Raises `ValidationFailedError`.
    """
    try:
        with time_limit(_SECONDS):
            return await _async_validate(hass, host, keys, organization)
    except OpenAIAccountError as err:
        raise _validation_failed(err) from err
    except ValidationFailedError:
        raise
    except Exception as err:
        # Traceback and type say enough; the exception's text could contain the key.
        _LOGGER.error(  # noqa: TRY400
            "Unexpected %s while validating the account",
            type(err).__name__,
            exc_info=_without_text(err),
        )
        raise ValidationFailedError({"base": "unknown"}) from None


async def _async_validate(
    hass: HomeAssistant, host: str, typed: Mapping[KeyKind, str], organization: str | None
) -> Account:
    if not typed:
        raise ValidationFailedError({"base": "no_key"})
    url, keys = _read(host, typed)
    # The first requests name no organization, so that a key of another organization
    # can be told from an invalid one.
    clients = {
        kind: await async_create_client(hass, url, {kind: key}) for kind, key in keys.items()
    }
    organizations = await _check_keys(clients)
    project = None
    if admin := clients.get(KeyKind.ADMIN):
        project = await _default_project(admin, is_needed=not organizations)
    account = Account(host=url, keys=keys, organizations=organizations, default_project=project)
    if organization is None and len(account.organizations) == 1:
        organization = account.organizations[0].id
    if organization:
        await async_check_organization(hass, account, organization)
    return account


def _read(host: str, typed: Mapping[KeyKind, str]) -> tuple[str, dict[KeyKind, str]]:
    """Return the URL of a host, and keys as they are sent; raises `ValidationFailedError`."""
    url = ""
    keys: dict[KeyKind, str] = {}
    errors: dict[str, str] = {}
    try:
        url = str(base_url(host))
    except OpenAIAccountError as err:
        errors |= _validation_failed(err).errors
    for kind, text in typed.items():
        try:
            keys[kind] = extract_key(text, kind)
        except InvalidKeyError as err:
            errors[kind] = err.code
    if errors:
        raise ValidationFailedError(errors)
    return url, keys


async def _check_keys(
    clients: Mapping[KeyKind, OpenAIAccountClient],
) -> tuple[Organization, ...]:
    """Check each key; return the organizations."""
    organizations: tuple[Organization, ...] = ()
    errors: dict[str, str] = {}
    for kind, client in clients.items():
        try:
            if kind is KeyKind.SESSION:
                await _check_session_key(client)
            else:
                organizations = await _check_admin_key(client)
        except InvalidAuthError as err:
            errors[kind] = err.code
    if errors:
        raise ValidationFailedError(errors)
    if session := clients.get(KeyKind.SESSION):
        organizations = await _organizations(session)
    return organizations


async def async_check_organization(
    hass: HomeAssistant, account: Account, organization: str
) -> None:
    """Check that an account's keys belong to an organization; raises `ValidationFailedError`."""
    known = {one.id for one in account.organizations}
    if known and organization not in known:
        raise ValidationFailedError({"base": "wrong_account"})
    if admin_key := account.keys.get(KeyKind.ADMIN):
        client = await async_create_client(
            hass, account.host, {KeyKind.ADMIN: admin_key}, organization
        )
        try:
            await client.costs_of_today()
        except InvalidAuthError as err:
            raise ValidationFailedError({KeyKind.ADMIN: "other_organization"}) from err
        except OpenAIAccountError as err:
            raise _validation_failed(err) from err


async def _check_admin_key(client: OpenAIAccountClient) -> tuple[Organization, ...]:
    """Request costs, whose rows name the organization where there are any."""
    # One response is enough for that.
    organization = (await client.costs_from(*window(dt_util.utcnow().date()))).organization
    return (Organization(*organization),) if organization else ()


async def _check_session_key(client: OpenAIAccountClient) -> None:
    """Request endpoints until one answers: gateways have some of them, OpenAI has all."""
    with suppress(EndpointMissingError, WebPageError):
        await client.credit_grants()
        return
    with suppress(EndpointMissingError, WebPageError):
        await client.subscription()
        return
    await client.costs_of_today()


async def _organizations(client: OpenAIAccountClient) -> tuple[Organization, ...]:
    """Return the organizations, none where the host does not report them.

    Any other error is raised, also that of a firewall: without organizations, the
    account would get another identity.
    """
    try:
        return await client.organizations()
    except EndpointMissingError, InvalidAuthError, ForbiddenError, WebPageError:
        return ()


async def _default_project(client: OpenAIAccountClient, *, is_needed: bool) -> str | None:
    """Return the oldest project of an admin key's organization, None if it may not be read.

    Where nothing else tells which organization it is, a temporary error is raised.
    """
    try:
        return await client.oldest_project()
    except EndpointMissingError, InvalidAuthError, WebPageError:
        return None
    except OpenAIAccountError:
        if is_needed:
            raise
        return None


def _validation_failed(err: OpenAIAccountError) -> ValidationFailedError:
    """Return an error of the field that it is about, or of the whole form."""
    if isinstance(err, CannotConnectError):
        return ValidationFailedError({"base": CannotConnectError.code})
    if isinstance(err, EndpointMissingError):
        return ValidationFailedError({"base": InvalidResponseError.code})
    if isinstance(err, InvalidHostError) or err.code == "insecure_host":
        return ValidationFailedError({CONF_HOST: err.code})
    if isinstance(err, RateLimitedError):
        minutes = max(1, math.ceil((err.retry_after or 300) / 60))
        return ValidationFailedError({"base": err.code}, minutes)
    return ValidationFailedError({"base": err.code})


def _without_text(err: BaseException) -> BaseException:
    """Return an exception with the same traceback, without the text."""
    return RuntimeError(type(err).__name__).with_traceback(err.__traceback__)
