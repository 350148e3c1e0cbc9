"""Targets that a webhook must never reach, and some that it may: what the guard is measured by (ADR 0018).

`python -m tests.unit.webhooks.corpus` counts the cases.
"""
# ruff: noqa: SIM905, RUF001  # a corpus reads best as words, and look-alikes are among its cases

from __future__ import annotations

import ipaddress

ADDRESSES = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
    168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1
    192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::8.8.8.8
    64:ff9b::169.254.169.254 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1
    2001:20::1 2001:db8::1 2002:7f00:1::1 2002:a9fe:a9fe:: 2620:4f:8000::1 3fff::1 4000::1 5f00::1 fc00::1 fd00::1
    fd00:ec2::254 fd12:3456:789a::1 fe80::1 feb0::1 fec0::1 ff00::1 ff02::1 ff0e::1
""".split()
"""What a name may resolve to, and no connection may go to."""

PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 198.17.255.255 223.255.255.254
    2606:4700::1111 2a00:1450::1 2001:4860:4860::8888 2400:cb00::1
""".split()

_INNER = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1")


def spellings(address: str) -> list[str]:
    """One IPv4 address in the ways that resolvers, browsers and libraries have been seen to understand."""
    a, b, c, d = (int(part) for part in address.split("."))
    number = int(ipaddress.IPv4Address(address))
    six = f"{number >> 16:x}:{number & 0xFFFF:x}"
    hosts = [
        address,
        f"{address}.",
        str(number),
        f"0x{number:08x}",
        f"0X{number:08X}",
        f"0{number:o}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"0{a:03o}.0{b:03o}.0{c:03o}.0{d:03o}",
        f"{a}.0x{b:x}.{c}.0{d:o}",
        f"{a}.{(b << 16) + (c << 8) + d}",
        f"{a}.{b}.{(c << 8) + d}",
        f"[::ffff:{address}]",
        f"[::ffff:{six}]",
        f"[0:0:0:0:0:ffff:{six}]",
        f"[::{six}]",
        f"[64:ff9b::{six}]",
        f"[64:ff9b:1::{six}]",
        f"[2002:{six}::1]",
        f"[2001:0:{six}::1]",
    ]
    return [f"https://{host}/" for host in hosts]


SPELLED = [url for address in _INNER for url in spellings(address)]

URLS = """
    http://example.com ftp://example.com file:///etc/passwd gopher://example.com //example.com example.com https:// https:///x
    https://user@example.com https://user:pass@example.com https://@example.com https://:@example.com
    https://example.com:22 https://example.com:25 https://example.com:0 https://example.com:1023 https://example.com:65536
    https://example.com:99999999999999999999 https://example.com:-1 https://example.com:port https://example.com:6379@10.0.0.1
    https://0 https://127.1 https://127.0.0.1. https://10.1 https://[::1] https://[::] https://[fe80::1%25eth0] https://[fe80::1%eth0]
    https://169.254.169.254/latest/meta-data/ https://[fd00:ec2::254]/ https://[fc00::1]/ https://[ff02::1]/
    https://localhost https://LOCALHOST https://localhost. https://anything.localhost https://a.b.localhost.:443/
    https://example.com\\@127.0.0.1 https://127.0.0.1\\@example.com https://[::1 https://[zz::1] https://[127.0.0.1]
    https://[::ffff:7f00:1]:8443/ https://0x7f.1 https://0x7f000001 https://017700000001 https://2130706433
    javascript:alert(1) data:text/html,x ws://example.com https:example.com https:/example.com
    https://user:pw@127.0.0.1:443/ https://example.com@[::1]/ https://a@b@example.com
    https://127.0.0.1:443/?x=https://example.com https://127.0.0.1#@example.com https://127.0.0.1/@example.com
""".split()
URLS += [
    "https://exam ple.com",
    "https://example.com/\r\nHost: x",
    "https://example.com/\t",
    "",
    " https://example.com",
    "https://example.com\x00.evil.example/",
    "https://ex\nample.com/",
]
"""Refused when they are saved and when they are used, without a look at DNS."""

RESOLVED = """
    https://①②⑦.⓪.⓪.①/ https://127。0。0。1/ https://0177.0.0.1/ https://localtest.me/ https://169.254.169.254.nip.io/
    https://127.0.0.1.nip.io/ https://customer1.app.localhost.my.company.127.0.0.1.nip.io/ https://spoofed.burpcollaborator.net/
    https://metadata.google.internal/ https://instance-data/ https://kubernetes.default.svc/ https://ｌｏｃａｌｈｏｓｔ/
    https://1%32%37.0.0.1/ https://0000000127.0.0.1.example/ https://internal/ https://db.internal.example./
""".split()
"""Names that the resolver turns inwards: only the socket can tell."""

ACCEPTED = """
    https://example.com https://example.com/ https://example.com:443/x https://example.com:80 https://example.com:1024
    https://example.com:8443/a?b=c#d https://8.8.8.8/ https://[2606:4700::1111]/ https://xn--bcher-kva.example https://example.com.
    https://bücher.example/ HTTPS://EXAMPLE.COM https://a.b.c.d.example/%2e%2e/
""".split()

REDIRECTS = (301, 302, 303, 307, 308)
HARMFUL = len(ADDRESSES) + len(SPELLED) + len(URLS) + len(RESOLVED) + len(REDIRECTS)

if __name__ == "__main__":
    print(f"{HARMFUL} to refuse, {len(PUBLIC) + len(ACCEPTED)} to let through")  # noqa: T201
