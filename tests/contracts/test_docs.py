"""The documents are true: generated parts are current, commands and files exist, README's calls answer as it says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml
from typer.core import TyperGroup

from cli.main import app
from docs import generate
from docs.openapi import dialects
from leadwire import apikeys, errors, events
from leadwire.settings import PREFIX, Settings
from local import demo
from local.world import World

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
DIALECTS = (ROOT / "docs/dialects.md").read_text()
CHANGING = (
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|lead_[0-9a-f]{16}|whsec_[\w+/=]+"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?|\b[0-9a-f]{16}\b"
)
"""What differs from one run to the next: ids, secrets, times."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- what is generated ------------------------------------------------------------------------------------------------


def test_generated_documents_are_current():
    stale = [name_of(path) for path, text in generate.documents() if path.read_text() != text]
    assert not stale, f"run: .venv/bin/python -m docs.generate ({', '.join(stale)})"


# --- what must be mentioned -------------------------------------------------------------------------------------------


def test_every_setting_is_documented_and_nothing_else_is_called_one():
    table = OPERATIONS.partition("## Settings")[2].partition("\nParameters beside")[0]
    documented = set(re.findall(rf"^\| `({PREFIX}\w+)` ", table, re.MULTILINE))
    assert documented == {PREFIX + name.upper() for name in Settings.__annotations__}


def test_every_event_is_documented():
    assert [name for name in events.CATALOGUE if f"`{name}`" not in DIALECTS] == []


def test_every_error_is_documented():
    table = DIALECTS.partition("<!-- generated: errors -->")[2].partition("<!-- end -->")[0]
    assert [error.__name__ for error in _leaves(errors.LeadwireError) if f"`{error.__name__}`" not in table] == []


def test_every_alarm_is_documented():
    template = yaml.load((ROOT / "template.yaml").read_text(), _CloudFormation)  # noqa: S506  # a SafeLoader
    alarms = [name for name, one in template["Resources"].items() if one["Type"] == "AWS::CloudWatch::Alarm"]
    words = re.findall(r"`([\w<>]+)`", OPERATIONS.partition("## Alarms")[2].partition("\n## ")[0])
    patterns = [re.sub(r"<\w+>", r"\\w+", word) for word in words]
    assert [alarm for alarm in alarms if not any(re.fullmatch(pattern, alarm) for pattern in patterns)] == []


class _CloudFormation(yaml.SafeLoader):
    """Reads `!Ref` and its like as None: names and types are enough here."""


_CloudFormation.add_multi_constructor("!", lambda _loader, _tag, _node: None)


def _leaves(error: type[errors.LeadwireError]) -> Iterator[type[errors.LeadwireError]]:
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _leaves(child)


# --- what must exist --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_files_that_are_named_exist(page):
    names = re.findall(r"`((?:[\w.]+/)*[\w]+\.py)`", page.read_text())
    product = ROOT / "layers/core/python/leadwire"
    missing = [
        name
        for name in names
        if not any((root / name).exists() for root in (ROOT, product, product.parent)) and not _within(product, name)
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_that_are_named_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:`|\$ )(?:[A-Z_]+=\S+ )*make ([a-z][a-z-]*)", page.read_text())
    assert sorted(set(named) - targets) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_of_leadwire_that_are_named_exist(page):
    lines = re.findall(
        r"(?:`|\$ |    )(?:\.venv/bin/)?leadwire ((?:--?\w|[a-z]).*?)(?:`|$)", page.read_text(), re.MULTILINE
    )
    for line in lines:
        _resolve(shlex.split(line.replace("…", ""), comments=True))


def _within(product: Path, name: str) -> bool:
    """A bare file name that stands in some folder of the product, or of the dialects."""
    return "/" not in name and any(product.rglob(name))


def _resolve(words: list[str]) -> None:
    """Fails if the words do not lead to a command with these options."""
    command, rest = typer.main.get_command(app), list(words)
    while rest:
        word = rest.pop(0)
        options = {name: option for option in command.params for name in option.opts}
        if word.startswith("-"):
            assert word in {*options, "--help"}, f"no option {word} in {words}"
            if word in options and not getattr(options[word], "is_flag", False):
                rest = rest[1:]
        elif isinstance(command, TyperGroup):
            assert word in command.commands, f"no command {word} in {words}"
            command = command.commands[word]


def test_decisions_have_numbers_of_their_own_and_the_four_parts():
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert len({page.name[:4] for page in pages}) == len(pages)
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {page.name[:4]} "), page.name
        parts = re.findall(r"^## (\w+)$", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Alternatives"], page.name


# --- what README shows ------------------------------------------------------------------------------------------------


def calls_of_readme() -> list[tuple[str, str]]:
    """Each curl of README and the answer below it."""
    blocks = re.findall(r"```console\n\$ curl (.*?)\n```", README, re.DOTALL)
    split = [re.split(r"(?<!\\)\n", block, maxsplit=1) for block in blocks]
    return [(command.replace("\\\n", " "), answer) for command, answer in split]


def test_the_calls_of_readme_answer_as_it_says():
    world = World(ROOT, overrides={"LEADWIRE_PRIVATE_TARGETS": "true"})
    try:
        state = demo.make(world.ports)
        for command, answer in calls_of_readme():
            world.advance(seconds=1)
            assert _shape(_run(world, state, command)) == _shape(json.loads(answer)), command
    finally:
        world.close()


def test_readme_shows_what_make_run_prints():
    keys = {name: f"{family.prefix}…" for name, family in apikeys.FAMILIES.items()}
    state = {"url": "http://127.0.0.1:8787", "tenant": demo.SLUG, "keys": keys, "list_id": "LIST"}
    assert demo.summary(state) in README.replace("ab61986a-…", "LIST")


def test_readme_calls_every_dialect():
    used = {dialect for command, _ in calls_of_readme() for dialect in re.findall(r"\$\(key (\w+)\)", command)}
    assert set(dialects.NAMES) <= used


def _run(world: World, state: dict, command: str) -> object:
    """What curl does with -s, -H and -d, against a world."""
    filled = re.sub(r"\$\(key (\w+)\)", lambda found: state["keys"].get(found[1]) or state[found[1]], command)
    words = iter(shlex.split(filled))
    headers, body, url = {}, None, ""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        elif word != "-s":
            url = word
    path = url.removeprefix("http://127.0.0.1:8787")
    return world.http("POST" if body else "GET", path, headers, body).json()


def _shape(value: object) -> str:
    return re.sub(CHANGING, "*", json.dumps(value))
