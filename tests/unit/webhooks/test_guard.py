from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from leadwire.webhooks import guard, sender
from tests.unit.webhooks import corpus


def resolves_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Every question to DNS gets the next answer, the last one again and again. Returns the names that were asked."""
    asked: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        addresses = left.pop(0) if len(left) > 1 else left[0]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def no_dialling(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    dialled: list[str] = []

    def dial(_family: int, _kind: int, _protocol: int, target: tuple[str, int], *_: Any) -> socket.socket:
        dialled.append(target[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(guard, "_dial", dial)
    return dialled


@pytest.mark.parametrize("address", corpus.ADDRESSES)
def test_no_connection_goes_to_an_address_that_is_not_public(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, [address])
    dialled = no_dialling(monkeypatch)
    with pytest.raises(guard.Refused):
        guard.connect("innocent.example", 443, private=False, patience=1, watch=lambda _: None)
    assert dialled == []


@pytest.mark.parametrize("address", corpus.PUBLIC)
def test_public_addresses_beside_the_forbidden_ranges_are_dialled(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolves_to(monkeypatch, [address])
    dialled = no_dialling(monkeypatch)
    with pytest.raises(ConnectionRefusedError):
        guard.connect("innocent.example", 443, private=False, patience=1, watch=lambda _: None)
    assert dialled == [address]


def test_of_several_addresses_only_the_public_ones_are_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, ["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"])
    dialled = no_dialling(monkeypatch)
    with pytest.raises(ConnectionRefusedError):
        guard.connect("mixed.example", 443, private=False, patience=1, watch=lambda _: None)
    assert dialled == ["8.8.8.8", "2606:4700::1111"]


def test_an_address_that_does_not_answer_leaves_time_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, ["8.8.8.8", "10.0.0.1", "1.1.1.1", "9.9.9.9"])
    shares = list[float]()

    def dial(*dialled: Any) -> socket.socket:
        shares.append(dialled[4])
        raise TimeoutError

    monkeypatch.setattr(guard, "_dial", dial)
    with pytest.raises(TimeoutError):
        guard.connect("many.example", 443, private=False, patience=30, watch=lambda _: None)
    assert [share <= most for share, most in zip(shares, (10, 15, 30), strict=True)] == [True, True, True]


def test_a_name_that_changes_its_address_between_two_looks_is_looked_up_once_and_dialled_as_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = resolves_to(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    dialled = no_dialling(monkeypatch)
    sender.send("https://rebind.example/", {}, b"{}", timeout=1, private=False)
    assert asked == ["rebind.example"]
    assert dialled == ["8.8.8.8"]


def test_a_name_that_turns_inward_after_it_was_saved_is_refused_at_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, ["169.254.169.254"])
    dialled = no_dialling(monkeypatch)
    assert guard.problem("https://rebind.example/", private=False) is None
    outcome = sender.send("https://rebind.example/", {}, b"{}", timeout=1, private=False)
    assert (outcome.kind, outcome.error, dialled) == ("refused", guard.REFUSAL, [])


def test_a_name_that_does_not_exist_reads_the_same_as_one_that_is_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, [])
    outcome = sender.send("https://nowhere.example/", {}, b"{}", timeout=1, private=False)
    assert (outcome.kind, outcome.error) == ("refused", guard.REFUSAL)


@pytest.mark.parametrize("url", [*corpus.URLS, *corpus.SPELLED])
def test_these_urls_are_refused_when_they_are_saved_and_when_they_are_used(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled = no_dialling(monkeypatch)
    assert guard.problem(url, private=False)
    assert sender.send(url, {}, b"{}", timeout=1, private=False).kind == "refused"
    assert dialled == []


@pytest.mark.parametrize("url", corpus.ACCEPTED)
def test_these_urls_are_accepted(url: str) -> None:
    assert guard.problem(url, private=False) is None


@pytest.mark.parametrize("url", corpus.RESOLVED)
def test_spellings_that_only_a_resolver_understands_end_at_the_socket(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolves_to(monkeypatch, ["127.0.0.1"])
    dialled = no_dialling(monkeypatch)
    assert sender.send(url, {}, b"{}", timeout=1, private=False).kind == "refused"
    assert dialled == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fd12::1", "8.8.8.8"])
def test_private_targets_open_the_neighbourhood(address: str) -> None:
    assert guard.allowed(ipaddress.ip_address(address), private=True)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "fe80::1", "0.1.2.3", "224.0.0.1", "::ffff:10.0.0.1"]
)
def test_private_targets_never_open_metadata_or_multicast(address: str) -> None:
    assert not guard.allowed(ipaddress.ip_address(address), private=True)


def test_private_targets_allow_http_but_no_credentials_and_no_low_ports() -> None:
    assert guard.problem("http://localhost:8787/x", private=True) is None
    assert guard.problem("http://user@localhost:8787/x", private=True)
    assert guard.problem("http://localhost:22/x", private=True)


def test_the_corpus_has_at_least_two_hundred_cases() -> None:
    assert corpus.HARMFUL >= 200


def test_every_refused_address_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    no_dialling(monkeypatch)
    told = set()
    for answer in [*([address] for address in corpus.ADDRESSES), []]:
        resolves_to(monkeypatch, answer)
        told.add(sender.send("https://inner.example/", {}, b"{}", timeout=1, private=False).error)
    spelled = {sender.send(url, {}, b"{}", timeout=1, private=False).error for url in corpus.SPELLED}
    assert told == spelled == {guard.REFUSAL}


@pytest.mark.parametrize("status", corpus.REDIRECTS)
@pytest.mark.parametrize(
    "target", ["https://169.254.169.254/latest/", "http://127.0.0.1/", "file:///etc/passwd", "//x"]
)
def test_a_redirect_inwards_is_not_followed(status: int, target: str, receiver: Any) -> None:
    receiver.answer = (status, {"location": target}, b"")
    outcome = sender.send(receiver.url, {}, b"{}", timeout=2, private=True)
    assert (outcome.kind, outcome.status, len(receiver.received)) == ("answered", status, 1)


def test_a_receiver_that_redirects_to_itself_is_asked_once(receiver: Any) -> None:
    receiver.answer = (307, {"location": receiver.url}, b"")
    sender.send(receiver.url, {}, b"{}", timeout=2, private=True)
    assert len(receiver.received) == 1


def test_dns_that_answers_inwards_every_second_time_never_gets_a_connection_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolves_to(monkeypatch, ["8.8.8.8"], ["127.0.0.1"], ["8.8.8.8"], ["169.254.169.254"], ["10.0.0.1"])
    dialled = no_dialling(monkeypatch)
    kinds = [sender.send("https://flip.example/", {}, b"{}", timeout=1, private=False).kind for _ in range(5)]
    assert kinds == ["unreachable", "refused", "unreachable", "refused", "refused"]
    assert dialled == ["8.8.8.8", "8.8.8.8"]
