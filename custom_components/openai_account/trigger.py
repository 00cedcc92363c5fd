"""Triggers for automations.

Home Assistant's own base classes for entity triggers changed between the versions
that this integration supports; `Trigger` and the tracking of targets did not.
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
    SPEND_LIMIT_IS_REACHED,
    StateTest,
    is_same_period,
    matching_entities,
)


class AccountTrigger(Trigger):
    """Fires when the state of an account's entity begins to match a test.

    States before and after an outage are compared with each other: what matched
    before and matches after it does not fire, what changed in between does. So does what
    matches in another day or month than before, since it has begun to match anew.
    """

    _test: ClassVar[StateTest]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate the configuration."""
        return cls._test.validate(hass, config)

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Store the target and the options."""
        super().__init__(hass, config)
        self._target = config.target or {}
        self._options = config.options or {}
        # The last state of each entity that was neither unavailable nor unknown
        self._last: dict[str, State] = {}

    def _matches(self, state: State) -> bool:
        """Return whether a state matches the test."""
        return self._test.matches(state, self._options)

    def _entities(self, entities: set[str]) -> set[str]:
        """Return the entities of the target that this trigger follows."""
        found = matching_entities(self._hass, entities, self._test.translation_key)
        for entity_id in found - self._last.keys():
            if (state := self._hass.states.get(entity_id)) and _known(state):
                self._last[entity_id] = state
        return found

    # Newer versions pass a callback for what did not trigger, which is optional.
    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: object = None
    ) -> CALLBACK_TYPE:
        """Start to follow the entities."""

        @callback
        def state_changed(data: TargetStateChangedData) -> None:
            event = data.state_change_event
            state = event.data["new_state"]
            if state is None or not _known(state):
                return
            entity_id = state.entity_id
            before = self._last.get(entity_id)
            self._last[entity_id] = state
            if before is None or not self._matches(state):
                return
            if self._matches(before) and is_same_period(before, state):
                return
            run_action(
                {ATTR_ENTITY_ID: entity_id, "from_state": before, "to_state": state},
                f"state of {entity_id}",
                event.context,
            )

        tracking = async_track_target_selector_state_change_event(
            self._hass, self._target, state_changed, self._entities
        )
        # Not a coroutine until 2026.4
        return await tracking if isawaitable(tracking) else cast(CALLBACK_TYPE, tracking)


def _known(state: State) -> bool:
    return state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)


def _trigger_for(test: StateTest) -> type[Trigger]:
    """Return the trigger for a test."""

    class StateTrigger(AccountTrigger):
        """Fires when a state begins to match the test."""

        _test = test

    return StateTrigger


TRIGGERS: dict[str, type[Trigger]] = {
    "budget_exceeded": _trigger_for(IS_OVER_BUDGET),
    "credit_became_low": _trigger_for(CREDIT_IS_LOW),
    "credit_no_longer_low": _trigger_for(CREDIT_IS_NOT_LOW),
    "daily_cost_crossed": _trigger_for(DAILY_COST_IS_ABOVE),
    "spend_limit_reached": _trigger_for(SPEND_LIMIT_IS_REACHED),
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
