"""How guards of others do on the corpus of tests/unit/webhooks/corpus.py (ADR 0018): `python -m bench.ssrf <library>`.

Run it with the library (requests-hardened, ssrfguard, or this repository's `leadwire`) installed. DNS is answered by
the script, so nothing leaves the machine: what counts is whether an address that is not public would have been dialled.
"""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REAL = socket.getaddrinfo


def corpus() -> Any:
    place = ROOT / "tests/unit/webhooks/corpus.py"
    specification = importlib.util.spec_from_file_location("corpus", place)
    module = importlib.util.module_from_spec(specification)  # type: ignore[arg-type]
    specification.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def dns(answer: str | None) -> None:
    """Every name resolves to this; what spells an address is still read by the real resolver."""

    def getaddrinfo(host: Any, port: Any, *_args: Any, **_kwargs: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        try:
            return REAL(text, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except (socket.gaierror, UnicodeError):
            if answer is None:
                raise
        family = socket.AF_INET6 if ":" in answer else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (answer, port, 0, 0) if ":" in answer else (answer, port))]

    socket.getaddrinfo = getaddrinfo


def leadwire() -> Callable[[str], None]:
    sys.path.insert(0, str(ROOT / "layers/core/python"))
    from leadwire.webhooks import guard, sender  # noqa: PLC0415  # only for this choice

    def call(url: str) -> None:
        if sender.send(url, {}, b"{}", timeout=2, private=False).kind == "refused":
            raise guard.Refused

    return call


def hardened() -> Callable[[str], None]:
    from requests_hardened import Config, Manager  # noqa: PLC0415  # only for this choice

    config = Config(
        ip_filter_enable=True, ip_filter_allow_loopback_ips=False, never_redirect=True, default_timeout=(2, 2)
    )
    return lambda url: Manager(config).send_request("POST", url, data=b"{}")


def ssrfguard() -> Callable[[str], None]:
    import ssrfguard as library  # noqa: PLC0415  # only for this choice

    policy = library.Policy(
        allowed_schemes=frozenset({"https"}), allowed_ports=frozenset({80, 443, *range(1024, 65536)})
    )

    def call(url: str) -> None:
        addresses = library.resolve(policy.check_url(url), policy=policy)
        library.connect(addresses, policy=policy, timeout=2)

    return call


LIBRARIES = {"leadwire": leadwire, "requests-hardened": hardened, "ssrfguard": ssrfguard}


def reaches(call: Callable[[str], None], url: str, answer: str | None) -> bool:
    """Whether a socket would have been dialled."""
    reached: list[bool] = []

    def dialling(_self: Any, _target: Any) -> None:
        reached.append(True)
        raise ConnectionRefusedError

    socket.socket.connect = dialling  # type: ignore[method-assign]
    dns(answer)
    with contextlib.suppress(Exception):  # refusals have many names; what counts is the socket
        call(url)
    return bool(reached)


def main(name: str) -> None:
    cases, call = corpus(), LIBRARIES[name]()
    name_ = "https://innocent.example/"
    let_in = {
        "addresses behind a name": [one for one in cases.ADDRESSES if reaches(call, name_, one)],
        "addresses in a URL": [one for one in cases.SPELLED if reaches(call, one, "127.0.0.1")],
        "names that turn inwards": [one for one in cases.RESOLVED if reaches(call, one, "127.0.0.1")],
        "forms and ports": [one for one in cases.URLS if reaches(call, one, "8.8.8.8")],
    }
    kept_out = [one for one in cases.PUBLIC if not reaches(call, name_, one)]
    kept_out += [one for one in cases.ACCEPTED if not reaches(call, one, "8.8.8.8")]
    total = cases.HARMFUL - len(cases.REDIRECTS)
    print(f"{name}: refuses {total - sum(map(len, let_in.values()))} of {total} harmful targets")
    for kind, ones in let_in.items():
        print(f"  let in, {kind}: {len(ones)} {ones}")
    print(f"  harmless ones kept out: {len(kept_out)} {kept_out}")


if __name__ == "__main__":
    main(sys.argv[1])
