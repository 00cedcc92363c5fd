"""What to call API keys: by their names, which can repeat, change, or be unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from .store import AccountStore

# So much of an id's end tells keys apart.
_END = 6

_NONE: Mapping[str, str] = {}


def api_key_titles(
    store: AccountStore, names: Mapping[str, str] = _NONE, projects: Mapping[str, str] = _NONE
) -> dict[str, str]:
    """Return what to call the API keys that have had costs, by their ids.

    That is the name, or the end of the id. Where it repeats, the project's name follows, then
    the end of the id. `names` are those of other keys, or their ids, and `projects` the ids
    of the projects of some keys.
    """
    names = {**names, **store.api_keys.labels()}
    projects = {**projects, **store.api_keys.projects()}
    project_names = store.projects.labels()

    def end(one: str) -> str:
        return f"…{one[-_END:]}"

    def name(one: str) -> str:
        return names[one] if names[one] != one else end(one)

    def project(one: str) -> str:
        return project_names.get(projects.get(one, ""), projects.get(one, ""))

    levels: tuple[Callable[[str], str], ...] = (
        name,
        lambda one: f"{name(one)} ({project(one)})" if project(one) else name(one),
        lambda one: f"{name(one)} ({project(one) and f'{project(one)}, '}{end(one)})",
        lambda one: f"{name(one)} ({one})",
    )
    titles: dict[str, str] = {}
    for level in levels:
        found = {one: level(one) for one in names if one not in titles}
        counts = Counter([*titles.values(), *found.values()])
        titles |= {one: title for one, title in found.items() if counts[title] == 1}
    return titles | {one: one for one in names if one not in titles}


class ApiKeyTitles:
    """What to call the API keys of a store, worked out once per change in it."""

    def __init__(self) -> None:
        """Start with nothing worked out."""
        self._revision: tuple[int, int] | None = None
        self._titles: dict[str, str] = {}

    def get(self, store: AccountStore, api_key: str) -> str:
        """Return what to call an API key that has had costs."""
        revision = store.api_keys.revision, store.projects.revision
        if revision != self._revision:
            self._revision = revision
            self._titles = api_key_titles(store)
        return self._titles[api_key]


def unique_titles(names: Mapping[str, str]) -> dict[str, str]:
    """Return what to call each id: its name, with the id where another has the same name."""
    counts = Counter(names.values())
    return {one: name if counts[name] == 1 else f"{name} ({one})" for one, name in names.items()}
