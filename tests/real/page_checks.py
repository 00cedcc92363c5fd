"""What every page of the dashboard is held to, checked within the page."""

from pathlib import Path
from typing import TypedDict, cast

from playwright.async_api import Page

from development.process import REPOSITORY

AXE = REPOSITORY / "tests/frontend/node_modules/axe-core/axe.min.js"

# Calls a function with every element of the dashboard, whatever shadow roots it is in.
_EACH_ELEMENT = """
  const eachElement = (visit, root = document) => {
    for (const element of root.querySelectorAll("*")) {
      visit(element);
      if (element.shadowRoot) eachElement(visit, element.shadowRoot);
    }
  };
"""

# What is shown as an error, but not what an account's own alerts say.
_ERRORS = f"""() => {{
  {_EACH_ELEMENT}
  const found = [];
  eachElement((element) => {{
    const tag = element.localName;
    const isOwn = element.getRootNode().host?.localName.startsWith("openai-account");
    const isAlert = tag === "ha-alert" && element.alertType !== "info" && !isOwn;
    if (element.checkVisibility() && (tag === "hui-error-card" || tag === "hui-warning" || isAlert))
      found.push(`${{tag}}: ${{(element.shadowRoot ?? element).textContent.trim()}}`);
    if (tag === "hui-markdown-card" && /Error loading/.test(element._config?.content ?? ""))
      found.push(element._config.content);
  }});
  return found;
}}"""

# Texts that have less room than they need.
_CUT_OFF = f"""() => {{
  {_EACH_ELEMENT}
  const found = [];
  eachElement((element) => {{
    const text = element.textContent.trim();
    const hides = getComputedStyle(element).overflowX !== "visible";
    const isCut = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
    if (text && hides && isCut && element.checkVisibility())
      found.push(`${{element.localName}} ${{element.className}}: ${{text.slice(0, 80)}}`);
  }});
  return found;
}}"""

# What axe finds in the dashboard's own cards; Home Assistant's are its own matter.
_VIOLATIONS = f"""async () => {{
  {_EACH_ELEMENT}
  const own = [];
  eachElement((element) => {{
    if (/^openai-account-/.test(element.localName) && element.checkVisibility()) own.push(element);
  }});
  const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const rules = {{ region: {{ enabled: false }} }};
  const {{ passes, violations }} = await axe.run({{ include: own }}, {{ runOnly, rules }});
  return {{
    passes: passes.length,
    violations: violations.flatMap(({{ id, nodes }}) =>
      nodes.map(({{ html }}) => `${{id}}: ${{html}}`)),
  }};
}}"""


class Report(TypedDict):
    """How many rules axe found kept, and where others were not."""

    passes: int
    violations: list[str]


async def check_page(page: Page) -> None:
    """Check that a page shows no error, cuts off no text, and is accessible."""
    # This module's assertions are not rewritten by pytest, so they say themselves what they found.
    for check in (_ERRORS, _CUT_OFF):
        found = await page.evaluate(check)
        assert not found, found
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_read(AXE))
    report = cast("Report", await page.evaluate(_VIOLATIONS))
    assert report["violations"] == []
    assert report["passes"]


async def errors_on(page: Page) -> list[str]:
    """Return what a page shows as an error."""
    return cast("list[str]", await page.evaluate(_ERRORS))


def _read(path: Path) -> str:
    assert path.exists(), "scripts/setup frontend installs axe-core"
    return path.read_text()
