"""Pasting more than a key: whole headers, copied requests and JSON."""

from __future__ import annotations

import json

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openai_account.api import InvalidKeyError, KeyKind, extract_key
from custom_components.openai_account.const import CONF_ADMIN_KEY, CONF_SESSION_KEY

from .common import RunningSimulator, setup_entry, start_user_flow, submit_form
from .const import ADMIN_KEY, KEY, OTHER_KEY

URL = "https://api.openai.com/v1/dashboard/billing/usage?start_date=2026-11-01"
# What comes with a copied request, and belongs to nobody here: other tokens in cookies and headers
COOKIES = "__Secure-session=eyJhbGciOiJkaXIi.sess-cookie; oai-sess-id=1; sess-id=2; token=sk-proj-1"


def bash(key: str, *, lines: bool = True) -> str:
    """Return a request as Chrome copies it for bash; without `lines`, as a text field keeps it."""
    return ("\n" if lines else "").join(
        [
            f"curl '{URL}' \\",
            "  -H 'accept: */*' \\",
            f"  -H 'authorization: Bearer {key}' \\",
            f"  -b '{COOKIES}' \\",
            '  -H \'openai-sentinel-token: {"p":"gAAAAAB","c":"Bearer sentinel"}\' \\',
            "  -H $'user-agent: Mozilla/5.0 (it\\'s X11)'",
        ]
    )


def cmd(key: str) -> str:
    """Return a request as Chrome copies it for the command prompt of Windows."""
    return (
        f'curl ^"{URL.replace("?", "^?")}^" ^\r\n'
        '  -H ^"accept: */*^" ^\r\n'
        f'  -H ^"authorization: Bearer {key}^" ^\r\n'
        f'  -b ^"{COOKIES}^" ^\r\n'
        '  -H ^"sec-ch-ua: ^\\^"Chromium^\\^";v=^\\^"150^\\^"^"'
    )


def powershell(key: str) -> str:
    """Return a request as Chrome copies it for PowerShell."""
    return (
        "$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\n"
        "$session.Cookies.Add("
        '(New-Object System.Net.Cookie("session-id", "2", "/", ".openai.com")))\n'
        f'Invoke-WebRequest -UseBasicParsing -Uri "{URL}" `\n'
        "-WebSession $session `\n"
        "-Headers @{\n"
        '"method"="GET"\n'
        '  "sec-ch-ua"="`"Chromium`";v=`"150`""\n'
        f'  "authorization"="Bearer {key}"\n'
        "}"
    )


def fetch(key: str) -> str:
    """Return a request as Chrome copies it as a call of `fetch`."""
    headers = {"accept": "*/*", "authorization": f"Bearer {key}", "cookie": COOKIES}
    return f'fetch("{URL}", {json.dumps({"headers": headers, "method": "GET"}, indent=2)});'


def har(key: str) -> str:
    """Return a request as Firefox copies it as HAR."""
    headers = [
        {"name": "Cookie", "value": COOKIES},
        {"name": "Authorization", "value": f"Bearer {key}"},
        {"name": "Proxy-Authorization", "value": "Bearer proxy"},
    ]
    return json.dumps({"log": {"entries": [{"request": {"headers": headers}}]}}, indent=2)


PASTED = {
    "header": lambda key: f"Authorization: Bearer {key}",
    "header in capitals": lambda key: f"AUTHORIZATION : BEARER {key}\r\n",
    "header in quotes": lambda key: f'"authorization: Bearer {key}"',
    "header of JSON": lambda key: f'"authorization": "Bearer {key}",',
    "value": lambda key: f"bearer  {key}",
    "value in quotes": lambda key: f"'Bearer {key}'",
    "key in quotes": lambda key: f' "{key}" ',
    "header among others": lambda key: (
        f"accept: */*\ncookie: {COOKIES}\nauthorization: Bearer {key}\norigin: https://a.example"
    ),
    "headers on one line": lambda key: f"accept: */* authorization: Bearer {key} origin: https://a",
    "curl": bash,
    "curl on one line": lambda key: bash(key, lines=False),
    "curl for cmd": cmd,
    "PowerShell": powershell,
    "fetch": fetch,
    "HAR": har,
}


@pytest.mark.parametrize("paste", PASTED.values(), ids=PASTED)
async def test_key_is_found_in_what_is_pasted(
    hass: HomeAssistant, simulator: RunningSimulator, paste: object
) -> None:
    """The keys are found in whatever a browser copies; all else is dropped."""
    assert callable(paste)
    result = await submit_form(
        hass,
        await start_user_flow(hass),
        host=simulator.url,
        session_key=paste(KEY),
        admin_key=paste(ADMIN_KEY),
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_SESSION_KEY] == KEY
    assert result["data"][CONF_ADMIN_KEY] == ADMIN_KEY
    assert "cookie" not in str(result["data"])


@pytest.mark.parametrize("paste", PASTED.values(), ids=PASTED)
def test_token_of_a_gateway_is_found_in_what_is_pasted(paste: object) -> None:
    """A token of another form is what follows the word Bearer in the header."""
    assert callable(paste)
    for token in ("abc", "gw_1.2~3+4/5==", "a:b|c"):
        assert extract_key(paste(token), KeyKind.SESSION) == token


@pytest.mark.parametrize(
    "pasted",
    [
        {"session": {"sensitive_id": KEY}},
        {"user": {"session": [{"sensitive_id": KEY, "name": "sk-proj-1"}]}, "id": "user-1"},
        {"token": "Bearer of news", "session": {"sensitive_id": KEY}},
        [KEY, KEY],
        {KEY: None},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
async def test_key_is_found_in_json(
    hass: HomeAssistant,
    simulator: RunningSimulator,
    entry: MockConfigEntry,
    pasted: object,
    indent: int | None,
) -> None:
    """A key is found in JSON, however deep, also when it replaces another one."""
    await setup_entry(hass, entry)
    result = await entry.start_reauth_flow(hass)
    text = json.dumps(pasted, indent=indent)
    result = await submit_form(hass, result["flow_id"], session_key=text)
    assert result["reason"] == "reauth_successful"
    assert entry.data[CONF_SESSION_KEY] == KEY


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        pytest.param(
            KeyKind.SESSION,
            f'{{"a": "{OTHER_KEY}", "authorization": "Bearer {KEY}"}}',
            KEY,
            id="several, one in the header",
        ),
        pytest.param(KeyKind.SESSION, f'["{KEY}", "{OTHER_KEY}"]', None, id="several"),
        pytest.param(
            KeyKind.SESSION,
            f"-H 'authorization: Bearer {KEY}' -H 'authorization: Bearer {OTHER_KEY}'",
            None,
            id="several headers",
        ),
        pytest.param(KeyKind.ADMIN, f'["{KEY}", "{ADMIN_KEY}"]', ADMIN_KEY, id="admin key"),
        pytest.param(KeyKind.SESSION, f'["{ADMIN_KEY}", "{KEY}"]', KEY, id="session key"),
        pytest.param(
            # The response to it says what is wrong with it.
            KeyKind.SESSION,
            f"curl -H 'Authorization: Bearer {ADMIN_KEY}'",
            ADMIN_KEY,
            id="key of the other kind",
        ),
        pytest.param(
            KeyKind.SESSION, f"curl -H 'Proxy-Authorization: Bearer {KEY}'", KEY, id="other header"
        ),
        pytest.param(KeyKind.SESSION, f"{KEY} {OTHER_KEY}", None, id="two keys"),
        pytest.param(KeyKind.SESSION, "Bearer sess-a b", None, id="key with a space"),
        pytest.param(KeyKind.SESSION, '{"a": "sess-a b"}', None, id="key with a space in JSON"),
        pytest.param(
            KeyKind.SESSION, "Authorization: Bearer sess-aCookie: b", None, id="lost line break"
        ),
        pytest.param(KeyKind.SESSION, '{"accessToken":"abc"}', None, id="JSON without a key"),
        pytest.param(
            KeyKind.SESSION, bash("").replace("Bearer", ""), None, id="curl without a key"
        ),
        pytest.param(
            KeyKind.SESSION, f"\N{LEFT DOUBLE QUOTATION MARK}{KEY}", None, id="typography"
        ),
        pytest.param(KeyKind.SESSION, f"'{KEY}" + "x" * 5000 + "'", None, id="long key"),
        pytest.param(KeyKind.SESSION, f"'{KEY}'" + " " * 500_000 + "'", None, id="long text"),
    ],
)
def test_which_key_is_taken(kind: KeyKind, text: str, expected: str | None) -> None:
    """A key of the right kind comes first, then the header; what is ambiguous is refused."""
    if expected is None:
        with pytest.raises(InvalidKeyError):
            extract_key(text, kind)
    else:
        assert extract_key(text, kind) == expected


async def test_paste_without_a_key_is_refused(
    hass: HomeAssistant, simulator: RunningSimulator
) -> None:
    """A copied request without a key gets an error at its field, and nothing is sent."""
    result = await submit_form(
        hass,
        await start_user_flow(hass),
        host=simulator.url,
        session_key=f"curl '{URL}' -b '{COOKIES}'",
    )
    assert result["errors"] == {CONF_SESSION_KEY: "invalid_key"}
    assert not simulator.requests
