"""The simulator's page: what it is, and buttons to change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from .contract import ENDPOINTS
from .faults import PRESETS
from .scenarios import SCENARIOS

_HELP = """The simulated OpenAI account.

The session key opens /dashboard/billing/credit_grants, usage and subscription, also under
/v1, and /v1/me; the admin key opens /v1/organization/costs, spend_limit, projects,
projects/ID/api_keys, projects/ID/spend_limit, admin_api_keys and usage/....

Choose a scenario:
  curl -X POST {url}/simulator/scenario -d '{{"scenario": "low-credit"}}'

Scenarios:
{scenarios}

Make an endpoint fail, and let it work again:
  curl -X POST {url}/simulator/faults -d '{{"endpoint": "usage", "fault": "html_wall"}}'
  curl -X DELETE {url}/simulator/faults

Move its clock forward:
  curl -X POST {url}/simulator/clock -d '{{"seconds": 3600}}'

Endpoints: {endpoints}; usage/* for all usage endpoints, * for all endpoints.
Faults: {faults}
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simulated OpenAI account</title>
<style>
:root {{ color-scheme: light dark; }}
body {{
  font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
}}
h2 {{ margin-top: 2rem; }}
table {{ border-collapse: collapse; width: 100%; }}
td, th {{ padding: .35rem .5rem; text-align: left; border-bottom: 1px solid #8884; }}
button, select {{ font: inherit; padding: .2rem .7rem; }}
button {{ white-space: nowrap; }}
tr.now td {{ font-weight: 600; }}
form {{ margin: .75rem 0; }}
code {{ overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>Simulated OpenAI account</h1>
<p>Host: <code>{url}</code>. It stands in for <b>{kind}</b>. Reload the account in Home Assistant
after a change, or wait for the next poll.</p>
<h2>Scenario</h2>
<form method="post" action="/simulator/scenario">
<table>{scenarios}</table>
</form>
<h2>Faults</h2>
{faults_now}
<form method="post" action="/simulator/faults">
<label>Endpoint <select name="endpoint">{endpoints}</select></label>
<label>Fault <select name="fault">{faults}</select></label>
<button>Fail from now on</button>
</form>
<h2>Without a browser</h2>
<pre>curl {url}/simulator/</pre>
</body>
</html>
"""


def help_text(url: str) -> str:
    """Return what people with curl need to know."""
    return _HELP.format(
        url=url,
        scenarios="\n".join(f"  {name:<22} {one.description}" for name, one in SCENARIOS.items()),
        endpoints=", ".join(ENDPOINTS),
        faults=", ".join(PRESETS),
    )


def html(url: str, kind: str, scenario: str, faults: Mapping[str, Iterable[str]]) -> str:
    """Return the page."""
    scenarios = "".join(
        f"<tr{' class=now' if name == scenario else ''}>"
        f'<td><button name="scenario" value="{escape(name)}">{escape(name)}</button></td>'
        f"<td>{escape(one.description)}</td></tr>"
        for name, one in SCENARIOS.items()
    )
    failing = [
        f"<code>{escape(name)}</code>: {escape(', '.join(one))}" for name, one in faults.items()
    ]
    faults_now = "<p>Everything works.</p>"
    if failing:
        faults_now = (
            f"<ul><li>{'</li><li>'.join(failing)}</li></ul>"
            '<form method="post" action="/simulator/faults/clear"><button>Let everything work'
            " again</button></form>"
        )
    return _PAGE.format(
        url=escape(url),
        kind=escape(kind),
        scenarios=scenarios,
        faults_now=faults_now,
        endpoints=_options(("*", *ENDPOINTS, "usage/*")),
        faults=_options(PRESETS),
    )


def _options(names: Iterable[str]) -> str:
    return "".join(f"<option>{escape(name)}</option>" for name in names)
