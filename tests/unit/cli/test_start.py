"""Ctrl-C while a command is still being loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRESSED = """
import sys

class Loading:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Loading())
sys.argv[1:] = {words!r}
from {package}.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("package", "module", "words"), [("cli", "cli.main", ["tenant", "list"]), ("local", "local.server", ["serve"])]
)
def test_ctrl_c_while_it_is_loaded_is_no_crash(package: str, module: str, words: list[str]) -> None:
    program = PRESSED.format(package=package, module=module, words=words)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
