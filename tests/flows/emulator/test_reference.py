"""The published documents and their page, from a deployed stack."""

from __future__ import annotations

import pytest
import requests

from docs import openapi
from tests.flows.emulator.conftest import Cloud

pytestmark = pytest.mark.emulator


def test_the_documents_and_their_page_are_served(emulated: Cloud) -> None:
    for path in openapi.FOLDER.glob("*.json"):
        answer = requests.get(f"{emulated.state['url']}/openapi/{path.name}", timeout=60)
        assert (answer.status_code, answer.content) == (200, path.read_bytes())
    page = requests.get(emulated.state["url"] + "/docs", timeout=60)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    bundle = requests.get(emulated.state["url"] + "/docs/swagger-ui-bundle.js", timeout=60)
    assert (bundle.status_code, bundle.headers["content-encoding"]) == (200, "gzip")
    assert "SwaggerUIBundle" in bundle.text
