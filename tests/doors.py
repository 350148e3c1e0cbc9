"""Requests to the doors (functions/*/app.py) in this process: what API Gateway does, by template.yaml's routes."""

from __future__ import annotations

import functools
import importlib
import re
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadwire import ports
from leadwire.ports import Ports
from local import sam
from tests import factories, published
from tests.factories import Answer

ROOT = Path(__file__).parent.parent
PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class PublishedRoute:
    method: str
    path: str
    function: str
    """The folder of the function."""

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    def parameters(self, method: str, path: str) -> dict[str, str] | None:
        """The path's parameters, or None if this is not its route."""
        pattern = PARAMETER.sub(r"(?P<\1>[^/]+)", self.path)
        match = re.fullmatch(pattern, path) if method == self.method else None
        return {name: urllib.parse.unquote(value) for name, value in match.groupdict().items()} if match else None


@functools.cache
def routes() -> tuple[PublishedRoute, ...]:
    """Every route of the template; one without parameters comes before one with them, as in API Gateway."""
    template = sam.parse((ROOT / "template.yaml").read_text())
    found = [
        PublishedRoute(event["Properties"]["Method"], event["Properties"]["Path"], _folder(function["Properties"]))
        for function in template["Resources"].values()
        if function["Type"] == "AWS::Serverless::Function"
        for event in function["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    return tuple(sorted(found, key=lambda route: route.path.count("{")))


def send(world: Ports, method: str, path: str, token: str = "", **more: Any) -> Answer:
    """`path` may have a query string and be percent-encoded; `more` as for factories.event. No route is a 404.

    Fails if the answer is not as the published documents say.
    """
    path, _, query = path.partition("?")
    for route in routes():
        parameters = route.parameters(method, path)
        if parameters is not None:
            app = importlib.import_module(f"functions.{route.function}.app")
            event = factories.event(route.key, path, token, query=query, params=parameters, **more)
            with ports.using(world):
                answer = factories.answer(app.handler(event, None))
            published.check(method, path, token, answer.status, answer.headers, answer.text)
            return answer
    return Answer(404, {}, '{"message":"Not Found"}')


def _folder(properties: dict[str, Any]) -> str:
    return str(properties["CodeUri"]).rstrip("/").rpartition("/")[2]
