"""The parts together: what a stack does by itself, on a clock that the test moves."""

import json
from pathlib import Path

import pytest

from leadwire.ports import BusEntry
from leadwire.store.types import Key, Put
from local.clock import START, Clock
from local.runtime import FunctionFailed
from local.vault import LocalVault, key_in
from local.world import NeverAtRest, World


def put(world: World, sk: str, **more: object) -> None:
    world.engine.write(Put({"pk": "P", "sk": sk, **more}))


def found(world: World, pk: str, sk: str) -> dict | None:
    return world.engine.get(Key(pk, sk), consistent=True)[0]


def test_an_event_passes_from_the_table_through_the_bus_and_the_queue_to_its_worker(world: World) -> None:
    put(world, "EVT#1")
    put(world, "LEAD")
    world.settle()
    assert found(world, "WORK", "EVT#1") == {"pk": "WORK", "sk": "EVT#1", "stage": "stage-local"}
    assert found(world, "WORK", "LEAD") is None


def test_what_a_worker_fails_is_tried_again_and_ends_in_the_dead_letters(world: World) -> None:
    put(world, "EVT#BAD")
    world.settle()
    assert world.dead_letters("WorkQueue") == []
    world.advance(minutes=5)
    (message,) = world.dead_letters("WorkQueue")
    assert json.loads(message.body)["detail"] == {"sk": "EVT#BAD"}


def test_an_event_that_the_bus_refuses_is_put_again(world: World) -> None:
    world.bus.refuse(1)
    put(world, "EVT#1")
    world.settle()
    assert found(world, "WORK", "EVT#1") is None
    world.advance(seconds=1)
    assert found(world, "WORK", "EVT#1")


def test_schedules_run_at_their_rate_while_time_passes(world: World) -> None:
    world.advance(minutes=59, seconds=59)
    world.advance(minutes=1)
    assert found(world, "TICK", "aws.events") == {"pk": "TICK", "sk": "aws.events", "count": 60}
    assert found(world, "TICK", "aws.scheduler") == {"pk": "TICK", "sk": "aws.scheduler", "count": 60}


def test_a_rule_may_invoke_a_function(world: World) -> None:
    world.ports.bus.put([BusEntry("thing.counted", '{"sk": "1"}')])
    world.settle()
    assert found(world, "TICK", "leadwire") == {"pk": "TICK", "sk": "leadwire", "count": 1}


def test_the_bus_hands_on_the_whole_event(world: World) -> None:
    world.ports.bus.put([BusEntry("thing.made", '{"sk": "EVT#1", "name": "Ä"}')])
    (message,) = world.queues.waiting("WorkQueue")
    event = json.loads(message.body)
    assert len(event.pop("id")) == 36
    assert event == {
        "version": "0",
        "detail-type": "thing.made",
        "source": "leadwire",
        "account": "000000000000",
        "time": "2026-05-28T20:26:40Z",
        "region": "mars-west-1",
        "resources": [],
        "detail": {"sk": "EVT#1", "name": "Ä"},
    }


def test_expired_items_are_gone_after_a_minute(world: World) -> None:
    put(world, "brief", expires_at=int(START) + 30)
    put(world, "long", expires_at=int(START) + 3600)
    world.advance(minutes=2)
    assert found(world, "P", "brief") is None
    assert found(world, "P", "long")


def test_the_stream_keeps_what_nobody_has_seen_yet(world: World) -> None:
    put(world, "EVT#1")
    world.advance(minutes=2)
    put(world, "EVT#2")
    kept = [record.key.sk for record in world.table.read_stream(0, 100)]
    assert "EVT#1" not in kept
    assert "EVT#2" in kept


def test_the_clock_stands_still_while_the_world_settles(world: World) -> None:
    put(world, "EVT#1")
    world.settle()
    assert world.clock() == START
    world.advance(days=1, hours=1, minutes=1, seconds=1)
    assert world.clock() == START + 90061


def test_a_world_that_feeds_itself_is_stopped(world: World) -> None:
    put(world, "EVT#1")
    with pytest.raises(NeverAtRest, match="RelayStream"):
        world.settle(limit=1)


def test_overrides_reach_the_settings_of_every_function(root: Path) -> None:
    world = World(root, overrides={"LEADWIRE_PRIVATE_TARGETS": "true", "LEADWIRE_SCHEDULE_SCALE": "0.001"})
    assert world.ports.settings.private_targets
    assert world.ports.settings.schedule_scale == 0.001
    world.close()


def test_everything_is_still_there_after_the_process_has_died(root: Path, tmp_path: Path) -> None:
    first = World(root, data=tmp_path / "w.db")
    put(first, "EVT#1")
    put(first, "EVT#2")
    first.streams[0].step()
    sealed = first.vault.seal("whsec_x", "tenant")
    second = World(root, data=tmp_path / "w.db", clock=Clock(first.clock()))
    second.settle()
    assert found(second, "WORK", "EVT#1")
    assert found(second, "WORK", "EVT#2")
    assert second.vault.open(sealed, "tenant") == "whsec_x"
    first.close()
    second.close()


def test_a_function_is_invoked_by_name_and_its_failure_has_a_name(world: World) -> None:
    assert world.invoke("Echo", {"body": '{"answer": 7}', "isBase64Encoded": False}) == 7
    with pytest.raises(FunctionFailed, match="RuntimeError: boom") as failed:
        world.invoke("Echo", {"body": '{"raise": "boom"}', "isBase64Encoded": False})
    assert failed.value.payload["errorType"] == "RuntimeError"


def test_a_function_that_takes_longer_than_its_timeout_has_failed(root: Path) -> None:
    times = iter([0.0, 10.1])
    world = World(root, timer=lambda: next(times))
    with pytest.raises(FunctionFailed, match=r"timed out after 10\.00 seconds"):
        world.invoke("Echo", {})
    world.close()


def test_a_sealed_secret_opens_in_its_own_context_only() -> None:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # slow to import

    vault = LocalVault(key_in(None))
    sealed = vault.seal("whsec_x", "tenant/1")
    assert vault.open(sealed, "tenant/1") == "whsec_x"
    assert sealed != vault.seal("whsec_x", "tenant/1")
    with pytest.raises(InvalidTag):
        vault.open(sealed, "tenant/2")


def test_the_vaults_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    key = key_in(path)
    assert key_in(path) == key
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_answer_waits_for_the_disk_unless_its_method_is_safe(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trips: list[str] = []
    monkeypatch.setattr(world.database, "sync", lambda: trips.append("trip"))
    world.http("GET", "/things/1")
    assert trips == []
    world.http("POST", "/things", body={})
    assert trips == ["trip"]


def test_a_worker_sees_only_what_is_on_the_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict | None] = []
    monkeypatch.setattr(world.database, "sync", lambda: seen.append(found(world, "WORK", "EVT#1")))
    put(world, "EVT#1")
    world.settle()
    assert seen[0] is None
    assert found(world, "WORK", "EVT#1")
