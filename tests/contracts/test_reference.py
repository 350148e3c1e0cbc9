"""The published documents and the page that shows them, as a browser without any network but ours finds them."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from docs import openapi
from docs.openapi import dialects
from local.world import World

ROOT = Path(__file__).resolve().parents[2]
NAMES = (*dialects.NAMES, "all")
ORIGIN = "http://here"
SWAGGER_UI = {
    "/docs/swagger-ui-bundle.js": "93b7b0862a80e2786f85b560be7693c2344354ffa7e7e224f850a54349724c31",
    "/docs/swagger-ui.css": "9e576f8322132c76949da47f9bb53c891373c303ea3a761ff548ffc9de50a98c",
}
"""SHA-256 of the files in swagger-ui-dist 5.31.0, the release of its authors: the Python package only carries them."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World(ROOT)
    yield world
    world.close()


def targets(page: str) -> list[str]:
    """Where a page's `src` and `href` lead, as a browser on /docs reads them."""
    found = re.findall(r'(?:src|href)="([^"]+)"', page)
    return [urljoin(f"{ORIGIN}/docs", one) for one in found if not one.startswith("data:")]


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_served_to_anybody(world: World, name: str) -> None:
    answer = world.http("GET", f"/openapi/{name}.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.body == (openapi.FOLDER / f"{name}.json").read_bytes()


def test_what_is_known_already_is_not_sent_again(world: World) -> None:
    first = world.http("GET", "/openapi/crm.json")
    again = world.http("GET", "/openapi/crm.json", {"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert world.http("GET", "/openapi/crm.json", {"If-None-Match": 'W/"another"'}).status == 200


def test_files_are_packed_for_those_who_can_unpack_them(world: World) -> None:
    plain = world.http("GET", "/docs/swagger-ui-bundle.js")
    packed = world.http("GET", "/docs/swagger-ui-bundle.js", {"Accept-Encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3


@pytest.mark.parametrize("path", ["/openapi/nobody.json", "/openapi/crm", "/docs/app.py", "/docs/..%2Fapp.py"])
def test_there_is_nothing_else(world: World, path: str) -> None:
    assert world.http("GET", path).status == 404


def test_everything_that_the_page_names_is_here(world: World) -> None:
    page = world.http("GET", "/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for target in targets(page.text):
        assert target.startswith(f"{ORIGIN}/"), "it would ask another host"
        assert world.http("GET", target.removeprefix(ORIGIN)).status == 200, target


def test_the_page_offers_every_document(world: World) -> None:
    page = world.http("GET", "/docs").text
    assert re.findall(r'href="docs\?api=(\w+)"', page) == [*NAMES]
    assert {urlsplit(one).path for one in targets(page)} >= {f"/openapi/{name}.json" for name in NAMES}


@pytest.mark.parametrize("path", ["/docs", "/docs/page.js", "/docs/page.css", "/docs/swagger-ui.css"])
def test_nothing_is_asked_of_another_host(world: World, path: str) -> None:
    """The bundle itself speaks of other hosts; the browser keeps it from asking them."""
    asked = re.findall(
        r"(?:src|href)=\"https?:|url\(['\"]?(?!['\"]?data:)|@import|fetch\(", world.http("GET", path).text
    )
    assert asked == []


def test_the_browser_lets_the_page_reach_this_host_only(world: World) -> None:
    policy = dict(one.strip().split(" ", 1) for one in _policy(world).split(";"))
    assert policy.pop("img-src") == "'self' data:"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert policy["default-src"] == "'none'"


@pytest.mark.parametrize(("path", "digest"), SWAGGER_UI.items())
def test_swagger_ui_is_as_its_authors_published_it(world: World, path: str, digest: str) -> None:
    assert hashlib.sha256(world.http("GET", path).body).hexdigest() == digest


def _policy(world: World) -> str:
    return str(world.http("GET", "/docs").headers["content-security-policy"])
