"""Settings are read from the environment, typed, and refused by name if one is missing."""

from __future__ import annotations

import pytest

from leadwire.settings import SettingMissing, Settings

REQUIRED = {
    "LEADWIRE_TABLE": "leads",
    "LEADWIRE_BUS": "bus",
    "LEADWIRE_DELIVERIES_QUEUE_URL": "queue",
    "LEADWIRE_KMS_KEY_ID": "key",
}


def test_what_is_not_set_has_its_default() -> None:
    settings = Settings.read(REQUIRED)
    assert (settings.table, settings.stage, settings.origin) == ("leads", "dev", "leadtruffle")
    assert (settings.debug_capacity, settings.private_targets, settings.schedule_scale) == (False, False, 1.0)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_variable_without_default_is_missed_by_name(name: str) -> None:
    field = name.removeprefix("LEADWIRE_").lower()
    with pytest.raises(SettingMissing, match=field):
        Settings.read({other: value for other, value in REQUIRED.items() if other != name})


def test_an_empty_variable_is_not_set() -> None:
    assert Settings.read({**REQUIRED, "LEADWIRE_STAGE": ""}).stage == "dev"


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("false", False), ("off", False)]
)
def test_switches_are_read_from_words(text: str, value: bool) -> None:  # noqa: FBT001  # a case, not an interface
    assert Settings.read({**REQUIRED, "LEADWIRE_DEBUG_CAPACITY": text}).debug_capacity is value


def test_the_schedule_scale_is_a_number() -> None:
    assert Settings.read({**REQUIRED, "LEADWIRE_SCHEDULE_SCALE": "0.001"}).schedule_scale == 0.001


def test_other_variables_are_none_of_ours() -> None:
    assert Settings.read({**REQUIRED, "LEADWIRE_UNKNOWN": "x", "PATH": "/bin"}) == Settings.read(REQUIRED)
