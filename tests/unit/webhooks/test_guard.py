# ruff: noqa: SIM905, S104  # a corpus reads best as words; 0.0.0.0 is one of its cases, nothing is bound
from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from leadwire.webhooks import guard, sender

FORBIDDEN = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
    168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1
    192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::8.8.8.8
    64:ff9b::169.254.169.254 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1
    2001:20::1 2001:db8::1 2002:7f00:1::1 2002:a9fe:a9fe:: 2620:4f:8000::1 3fff::1 4000::1 5f00::1 fc00::1 fd00::1
    fd00:ec2::254 fd12:3456:789a::1 fe80::1 feb0::1 fec0::1 ff00::1 ff02::1 ff0e::1
""".split()
PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 198.17.255.255 223.255.255.254
    2606:4700::1111 2a00:1450::1 2001:4860:4860::8888 2400:cb00::1
""".split()

REFUSED_URLS = """
    http://example.com ftp://example.com file:///etc/passwd gopher://example.com //example.com example.com https:// https:///x
    https://user@example.com https://user:pass@example.com https://@example.com https://:@example.com
    https://example.com:22 https://example.com:25 https://example.com:0 https://example.com:1023 https://example.com:65536
    https://example.com:99999999999999999999 https://example.com:-1 https://example.com:port
    https://127.0.0.1 https://127.1 https://0x7f.1 https://0x7f000001 https://017700000001 https://2130706433 https://0
    https://127.0.0.1. https://10.1 https://[::1] https://[::ffff:127.0.0.1] https://[::ffff:7f00:1] https://[fe80::1%25eth0]
    https://[64:ff9b::7f00:1] https://[2002:7f00:1::] https://169.254.169.254/latest/meta-data/ https://[fd00:ec2::254]/
    https://localhost https://LOCALHOST https://localhost. https://anything.localhost https://example.com\\@127.0.0.1
    https://[::1 https://[zz::1]
""".split()
REFUSED_URLS += [
    "https://exam ple.com",
    "https://example.com/\r\nHost: x",
    "https://example.com/\t",
    "",
    " https://example.com",
]
ACCEPTED_URLS = """
    https://example.com https://example.com/ https://example.com:443/x https://example.com:80 https://example.com:1024
    https://example.com:8443/a?b=c#d https://8.8.8.8/ https://[2606:4700::1111]/ https://xn--bcher-kva.example https://example.com.
    https://bücher.example/ HTTPS://EXAMPLE.COM https://a.b.c.d.example/%2e%2e/
""".split()


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


@pytest.mark.parametrize("address", FORBIDDEN)
def test_no_connection_goes_to_an_address_that_is_not_public(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, [address])
    dialled = no_dialling(monkeypatch)
    with pytest.raises(guard.Refused):
        guard.connect("innocent.example", 443, private=False, patience=1, watch=lambda _: None)
    assert dialled == []


@pytest.mark.parametrize("address", PUBLIC)
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


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_these_urls_are_refused_when_they_are_saved_and_when_they_are_used(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled = no_dialling(monkeypatch)
    assert guard.problem(url, private=False)
    assert sender.send(url, {}, b"{}", timeout=1, private=False).kind == "refused"
    assert dialled == []


@pytest.mark.parametrize("url", ACCEPTED_URLS)
def test_these_urls_are_accepted(url: str) -> None:
    assert guard.problem(url, private=False) is None


@pytest.mark.parametrize(
    "url", ["https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://0177.0.0.1/", "https://localtest.me/"]
)
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
    "address", ["169.254.169.254", "fd00:ec2::254", "fe80::1", "0.0.0.0", "224.0.0.1", "::ffff:10.0.0.1"]
)
def test_private_targets_never_open_metadata_or_multicast(address: str) -> None:
    assert not guard.allowed(ipaddress.ip_address(address), private=True)


def test_private_targets_allow_http_but_no_credentials_and_no_low_ports() -> None:
    assert guard.problem("http://localhost:8787/x", private=True) is None
    assert guard.problem("http://user@localhost:8787/x", private=True)
    assert guard.problem("http://localhost:22/x", private=True)
