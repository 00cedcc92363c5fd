"""Triggers: what an automation can wait for.

Home Assistant's own bases for such triggers changed between the versions that
this integration supports; `Trigger` and the tracking of targets are in all.
"""

from __future__ import annotations

from inspect import isawaitable
from typing import ClassVar, cast, override

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, State, callback
from homeassistant.helpers.target import (
    TargetStateChangedData,
    async_track_target_selector_state_change_event,
)
from homeassistant.helpers.trigger import Trigger, TriggerActionRunner, TriggerConfig
from homeassistant.helpers.typing import ConfigType

from .automation import (
    CREDIT_IS_LOW,
    CREDIT_IS_NOT_LOW,
    DAILY_COST_IS_ABOVE,
    IS_OVER_BUDGET,
    StateTest,
    entities_of_kind,
)


class AccountTrigger(Trigger):
    """Fires when something about an account becomes so.

    A fault of an endpoint in between does not count: what was so before it, and
    is so after it, did not become so; what changed meanwhile did.
    """

    _test: ClassVar[StateTest]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check what the user wrote."""
        return cast(ConfigType, cls._test.schema(config))

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take the target and the options."""
        super().__init__(hass, config)
        self._target = config.target or {}
        self._options = config.options or {}
        # What was last so, by entity, without the times at which it was unknown
        self._last: dict[str, State] = {}

    def _is_so(self, state: State) -> bool:
        """Return whether what the trigger waits for is so."""
        return self._test.matches(state, self._options)

    def _entities(self, entities: set[str]) -> set[str]:
        """Return those of the target's entities that this trigger watches."""
        kind = entities_of_kind(self._hass, entities, self._test.translation_key)
        for entity_id in kind - self._last.keys():
            if (state := self._hass.states.get(entity_id)) and _known(state):
                self._last[entity_id] = state
        return kind

    # Newer versions pass a reporter of what did not trigger, which is optional.
    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: object = None
    ) -> CALLBACK_TYPE:
        """Start to watch."""

        @callback
        def state_changed(data: TargetStateChangedData) -> None:
            event = data.state_change_event
            state = event.data["new_state"]
            if state is None or not _known(state):
                return
            entity_id = state.entity_id
            before = self._last.get(entity_id)
            self._last[entity_id] = state
            if before is None or self._is_so(before) or not self._is_so(state):
                return
            run_action(
                {ATTR_ENTITY_ID: entity_id, "from_state": before, "to_state": state},
                f"state of {entity_id}",
                event.context,
            )

        tracking = async_track_target_selector_state_change_event(
            self._hass, self._target, state_changed, self._entities
        )
        # Until 2026.4 this was no coroutine.
        return await tracking if isawaitable(tracking) else cast(CALLBACK_TYPE, tracking)


def _known(state: State) -> bool:
    return state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)


def _becomes_so(test: StateTest) -> type[Trigger]:
    """Return the trigger for a question."""

    class StateTrigger(AccountTrigger):
        """Fires when the question's answer becomes yes."""

        _test = test

    return StateTrigger


TRIGGERS: dict[str, type[Trigger]] = {
    "budget_exceeded": _becomes_so(IS_OVER_BUDGET),
    "credit_became_low": _becomes_so(CREDIT_IS_LOW),
    "credit_no_longer_low": _becomes_so(CREDIT_IS_NOT_LOW),
    "daily_cost_crossed": _becomes_so(DAILY_COST_IS_ABOVE),
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
