"""What each document says, tried on a running stack: those cases of `make fuzz` that are the same each time."""

import subprocess
import sys

import pytest

from tests import published
from tests.process import ROOT

SAME_EACH_TIME = ("--phases", "examples,coverage", "--seed", "1")


@pytest.mark.parametrize("name", published.DIALECTS)
def test_schemathesis_finds_the_running_stack_as_its_document_says(name: str) -> None:
    command = [sys.executable, "-m", "tests.fuzz", name, *SAME_EACH_TIME]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
