"""The samples of docs/webhooks.md, run against a real delivery."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flows.business import Business
from tests.flows.endpoints import happen, public_v2
from tests.unit.webhooks.conftest import Receiver

PAGE = (Path(__file__).resolve().parents[2] / "docs/webhooks.md").read_text()


def samples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery as it came, and a folder with `body.json` and `headers.json`."""

    secret: str
    headers: dict[str, str]
    url: str
    folder: Path

    def run(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        base = {"PATH": "/usr/local/bin:/usr/bin:/bin", "SECRET": self.secret, "URL": self.url}
        named = {
            "ID": self.headers["webhook-id"],
            "TIMESTAMP": self.headers["webhook-timestamp"],
            "SIGNATURE": self.headers["webhook-signature"],
        }
        full = {**base, **named, **environment}
        return subprocess.run(command, cwd=self.folder, env=full, capture_output=True, text=True, check=False)


@pytest.fixture
def sent(acme: Business, receiver: Receiver, tmp_path: Path) -> Sent:
    made = public_v2(acme, receiver.url)
    happen(acme)
    acme.world.settle()
    headers, body = receiver.received[0]
    (tmp_path / "body.json").write_bytes(body.encode())
    (tmp_path / "headers.json").write_text(json.dumps(headers))
    return Sent(made.secret, headers, receiver.url, tmp_path)


PROGRAMS = {
    "python": (
        "import json, os\n"
        "verify(os.environ['SECRET'], json.load(open('headers.json')), open('body.json', 'rb').read())\n"
    ),
    "javascript": (
        "const fs = require('node:fs');\n"
        "verify(process.env.SECRET, JSON.parse(fs.readFileSync('headers.json')), fs.readFileSync('body.json'));\n"
    ),
    "php": (
        "$headers = json_decode(file_get_contents('headers.json'), true);\n"
        "verify(getenv('SECRET'), $headers, file_get_contents('body.json'));\n"
    ),
}
INTERPRETERS = {"python": sys.executable, "javascript": "node", "php": "php"}


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_sample_accepts_a_delivery_and_refuses_what_is_not_genuine(language: str, sent: Sent) -> None:
    program = shutil.which(INTERPRETERS[language])
    if program is None:
        pytest.skip(f"{language} is not installed here: its sample on docs/webhooks.md was not run")
    (sent.folder / "sample").write_text(samples(language)[0] + PROGRAMS[language])
    command = [program, "sample"]
    genuine = sent.run(command)
    assert genuine.returncode == 0, genuine.stderr
    assert sent.run(command, SECRET="whsec_" + "A" * 44).returncode != 0
    old = {**sent.headers, "webhook-timestamp": str(int(sent.headers["webhook-timestamp"]) - 1000)}
    (sent.folder / "headers.json").write_text(json.dumps(old))
    assert sent.run(command).returncode != 0
    (sent.folder / "headers.json").write_text(json.dumps(sent.headers))
    with (sent.folder / "body.json").open("a") as body:
        body.write(" ")
    assert sent.run(command).returncode != 0


def test_the_signature_by_hand_is_the_one_that_was_sent(sent: Sent) -> None:
    by_hand, _ = samples("sh")
    done = sent.run(["bash", "-c", by_hand])
    assert done.stdout.strip() == sent.headers["webhook-signature"], done.stderr


def test_a_stored_delivery_is_sent_again_with_curl(sent: Sent, receiver: Receiver) -> None:
    _, again = samples("sh")
    assert sent.run(["bash", "-c", again]).stdout.strip() == "204"
    headers, body = receiver.received[-1]
    assert body == (sent.folder / "body.json").read_text()
    assert headers["webhook-signature"] == sent.headers["webhook-signature"]


def test_a_gap_shows_in_the_numbers(acme: Business, receiver: Receiver) -> None:
    public_v2(acme, receiver.url)
    for number in range(5):
        acme.create("crm", email=f"n{number}@example.com")
    acme.world.settle()
    ids = [headers["webhook-id"] for headers, _ in receiver.received]
    space: dict[str, object] = {}
    exec(samples("python")[1], space)  # noqa: S102  # the page's own sample
    missing = space["missing"]
    assert callable(missing)
    assert missing(ids) == set()
    assert missing([one for one in ids if not one.endswith("_3")]) == {3}
