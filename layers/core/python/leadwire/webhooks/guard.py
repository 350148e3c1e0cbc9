"""Where webhooks may go. A customer's URL must never reach our own network (SSRF).

Two parts. `problem` looks at the URL alone and gives early answers. What protects is `connect`: it looks at the
addresses that the name resolves to at that moment and dials those very addresses, so nothing can change in between (no
rebinding), and every way of spelling an address ends there. One sentence covers every refusal: which range it was, or
whether an inner name exists, is nobody's business.

Ranges: IANA special-purpose registries (RFC 6890), and the metadata services of the clouds.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

type Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]
"""As getaddrinfo has it."""

LOOKUPS = 400
"""At once: four for each delivery that a worker makes at once, as one that hangs is outlived by others."""
_lookups = threading.BoundedSemaphore(LOOKUPS)

REFUSAL = "the host does not resolve to a public address"

HTTP, HTTPS, FIRST_FREE, LAST = 80, 443, 1024, 65535
_AUTHORITY_END = re.compile(r"[/?#]")
_SUSPICIOUS = re.compile(r"[\x00-\x20\x7f\\]")

_FOUR = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's wire server
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All else in IPv6 is refused: loopback, mapped and compatible IPv4, NAT64, ULA, link-local, multicast, SRv6 …"""
_SIX = tuple(
    ipaddress.ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: hides an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_METADATA = ipaddress.ip_address("fd00:ec2::254")
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)
"""What `private_targets` opens: the machine itself and its neighbours, never link-local."""


class Refused(Exception):
    """The guard does not let this request out. Its text says nothing but REFUSAL."""

    def __init__(self) -> None:
        super().__init__(REFUSAL)


def problem(url: str, *, private: bool) -> str | None:
    """Why this URL can be no target, as a sentence for its owner, or None. Says nothing about names: see `connect`."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        return "must be a URL"
    if _SUSPICIOUS.search(url) or not parts.host:
        return "must be a URL"
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        return "must begin with https://"
    if "@" in _AUTHORITY_END.split(url.partition("//")[2])[0]:
        return "must not contain a user name or password"
    if parts.port not in (None, HTTP, HTTPS) and not FIRST_FREE <= parts.port <= LAST:
        return f"must use port {HTTP}, {HTTPS} or one from {FIRST_FREE} up"
    return None if private or _may_be_public(parts) else REFUSAL


def allowed(address: Address, *, private: bool) -> bool:
    """Whether a connection may go to this address."""
    if address == _METADATA:
        return False
    if private and _within(address, _PRIVATE):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return not _within(address, _FOUR)
    return address in _GLOBAL_UNICAST and not _within(address, _SIX)


def connect(
    host: str, port: int, *, private: bool, patience: float, watch: Callable[[socket.socket], None]
) -> socket.socket:
    """A connection to the first address of the host that is allowed and answers.

    `patience` in seconds is for DNS and all addresses together; `watch` is shown each socket before it is dialled.
    Raises Refused (also when the name does not exist), TimeoutError or another OSError.
    """
    ends = time.monotonic() + patience
    found = [entry for entry in _resolve(host, port, patience) if allowed(_address(entry[4][0]), private=private)]
    failure: OSError | None = None
    for at, (family, kind, protocol, _, target) in enumerate(found):
        share = (ends - time.monotonic()) / (len(found) - at)
        try:
            return _dial(family, kind, protocol, target, share, watch)
        except OSError as error:
            failure = error
    raise failure or Refused


# --- inside -----------------------------------------------------------------------------------------------------------


def _may_be_public(parts: Url) -> bool:
    host = (parts.host or "").strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return False
    address = _literal(host)
    return address is None or allowed(address, private=False)


def _address(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


def _literal(host: str) -> Address | None:
    """The address that a host spells, also in the short, octal and hexadecimal forms that resolvers understand."""
    with contextlib.suppress(ValueError):
        return _address(host)
    with contextlib.suppress(OSError, UnicodeError):
        return ipaddress.IPv4Address(socket.inet_aton(host))
    return None


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _resolve(host: str, port: int, patience: float) -> list[Found]:
    """What DNS says within the patience. Its own is longer and cannot be cut short: a lookup that nobody waits for any
    more goes on in a thread of its own, of which there are so many at most.
    """
    if _literal(host.strip("[]")) is not None:
        return _look_up(host, port)
    answer, ends, lookups = Future[list[Found]](), time.monotonic() + patience, _lookups
    if not lookups.acquire(timeout=max(0.0, patience)):
        raise TimeoutError

    def look_up() -> None:
        try:
            answer.set_result(_look_up(host, port))
        except BaseException as error:  # noqa: BLE001  # handed on to who waits
            answer.set_exception(error)
        finally:
            lookups.release()

    threading.Thread(target=look_up, name="webhook lookup", daemon=True).start()
    return answer.result(max(0.0, ends - time.monotonic()))


def _look_up(host: str, port: int) -> list[Found]:
    try:
        return socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)  # type: ignore[return-value]  # no raw sockaddr
    except (socket.gaierror, UnicodeError) as unknown:
        raise Refused from unknown


def _dial(
    family: int,
    kind: int,
    protocol: int,
    target: tuple[str, int],
    patience: float,
    watch: Callable[[socket.socket], None],
) -> socket.socket:
    if patience <= 0:
        raise TimeoutError
    dialled = socket.socket(family, kind, protocol)
    try:
        dialled.settimeout(patience)
        watch(dialled)
        dialled.connect(target)
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        dialled.close()
        raise
    return dialled
