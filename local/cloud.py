"""The emulator lane: the real template, built and deployed by sam, on ministack. `python -m local.cloud up|down`.

What it proves and embedded mode cannot: `sam build` and `sam deploy` work, functions have the environment and the
layers they need, boto3 is used rightly. What it must not be used for is in docs/operations.md (it is slow in large
partitions and forgets everything when it stops).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from . import demo

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".leadwire" / "cloud"
BUILD = ROOT / ".aws-sam" / "local" / "build"
DEFAULT_PORT = 4566
READY_SECONDS = 120
STOP_SECONDS = 10
ENVIRONMENTS = 16
"""Lambda environments at once, each a process of some 50 MB."""
ANY = "test"
"""The emulator takes this for the key of the account itself."""
DUMMY_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ANY,
    "AWS_SECRET_ACCESS_KEY": ANY,
    "AWS_DEFAULT_REGION": "us-east-1",
}

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Emulators that this process started: their exits are for it to collect."""


class CloudFailed(Exception):
    """A step did not work; the message says which, why, and what to do."""


def up(port: int = DEFAULT_PORT, home: Path = HOME) -> dict[str, Any]:
    """Start the emulator if it is not running, build, deploy, and make the demo tenant. Returns what cloud.json holds.

    `port` 0 takes a free one. `home` keeps the logs, the emulator's files and cloud.json (in its parent).
    Raises CloudFailed.
    """
    state = running(home) or start(port, home)
    os.environ |= DUMMY_CREDENTIALS | {"AWS_ENDPOINT_URL": state["endpoint"]}
    parameters = parameters_of("local") | {"Architecture": architecture(), "EndpointUrl": state["endpoint"]}
    build(parameters, home)
    _deploy(parameters, home)
    from . import stack  # noqa: PLC0415  # boto3 takes a second to import, and `down` does not need it

    state |= stack.mend(ROOT / "template.yaml", state["stack"], state["endpoint"], parameters)
    if "keys" not in state:
        with _step("the demo tenant"):
            state |= stack.populate(state)
    demo.save(state, _state_file(home))
    return state


def start(port: int, home: Path) -> dict[str, Any]:
    """Start an emulator with nothing in it; `down` ends it. Returns `pid` and `endpoint`. Raises CloudFailed."""
    state = _start(port or free_port(), home)
    demo.save(state, _state_file(home))
    return state


def down(home: Path = HOME) -> bool:
    """Stop the emulator; its data go with it. False if none was running."""
    state = running(home)
    _state_file(home).unlink(missing_ok=True)
    if state is None:
        return False
    os.killpg(state["pid"], signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while _alive(state["pid"]):
        if time.monotonic() > end:
            os.killpg(state["pid"], signal.SIGKILL)
        time.sleep(0.1)
    shutil.rmtree(home / "tmp", ignore_errors=True)
    return True


def running(home: Path = HOME) -> dict[str, Any] | None:
    """What cloud.json holds, if the emulator that it names is alive."""
    with suppress(FileNotFoundError, json.JSONDecodeError):
        state: dict[str, Any] = json.loads(_state_file(home).read_text())
        return state if _alive(state["pid"]) else None
    return None


def build(parameters: Mapping[str, str], home: Path = HOME) -> None:
    """`sam build` for this machine into BUILD. Raises CloudFailed."""
    home.mkdir(parents=True, exist_ok=True)
    with _step("sam build"):
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        command = ["build", "--config-env", "local", "--build-dir", str(BUILD), "--parameter-overrides", *overrides]
        _sam(command, home / "build.log", {"ARCHITECTURE": parameters["Architecture"]})


def architecture() -> str:
    """This machine's, in Lambda's words."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def parameters_of(stage: str) -> dict[str, str]:
    """The template's parameters in samconfig.toml; on the command line they would have to be given all or none."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    return dict(pair.split("=", 1) for pair in config[stage]["deploy"]["parameters"]["parameter_overrides"])


def free_port() -> int:
    """A port on loopback that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something listens on this port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- inside -----------------------------------------------------------------------------------------------------------


def _start(port: int, home: Path) -> dict[str, Any]:
    with _step("ministack"):
        program = _tool("ministack")
        if answers(port):
            raise CloudFailed(f"port {port} is taken: say PORT=<another> make cloud")
        scratch = home / "tmp"
        shutil.rmtree(home, ignore_errors=True)
        scratch.mkdir(parents=True)
        environment = os.environ | {
            "BIND_HOST": "127.0.0.1",  # it listens on every interface unless told
            "GATEWAY_PORT": str(port),
            "STATE_DIR": str(home),
            "TMPDIR": str(scratch),  # it leaves the code of every environment behind
            "LAMBDA_ACCOUNT_CONCURRENCY": str(ENVIRONMENTS),
            "AUTH": "true",  # roles and policies are enforced
        }
        with (home / "ministack.log").open("w") as log:
            process = subprocess.Popen(
                [program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        _children[process.pid] = process
        for _ in range(READY_SECONDS * 20):
            if answers(port):
                return {"pid": process.pid, "endpoint": f"http://127.0.0.1:{port}", "stack": "leadwire-local"}
            if process.poll() is not None:
                break
            time.sleep(0.05)
        raise CloudFailed(f"ministack did not start: see {home / 'ministack.log'}")


def _deploy(parameters: Mapping[str, str], home: Path) -> None:
    with _step("sam deploy"):
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        command = ["deploy", "--config-env", "local", "--template-file", str(BUILD / "template.yaml")]
        _sam([*command, "--parameter-overrides", *overrides], home / "deploy.log", {"SAM_CLI_POLL_DELAY": "1"})


def _sam(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
    program = _tool("sam")
    # Beside a template in the build folder sam would look for a configuration there.
    arguments = [program, *command, "--config-file", str(ROOT / "samconfig.toml")]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # sam looks for python3.13 there
    full = os.environ | environment | {"PATH": path, "SAM_CLI_TELEMETRY": "0"}
    with log.open("w") as file:
        done = subprocess.run(
            arguments, cwd=ROOT, env=full, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False
        )
    if done.returncode:
        tail = "\n".join(log.read_text().splitlines()[-15:])
        raise CloudFailed(f"sam {command[0]} failed, see {log}\n{tail}")


def _tool(name: str) -> str:
    program = ROOT / ".tools" / name / "bin" / name
    if not program.exists():
        raise CloudFailed(f"{name} is not installed: run `make .tools/{name}/.done`")
    return str(program)


def _state_file(home: Path) -> Path:
    return home.with_suffix(".json")


def _alive(pid: int) -> bool:
    """Whether the process lives and is an emulator: after a restart of the machine the number may be another's."""
    if pid in _children:
        return _children[pid].poll() is None
    command = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "ministack" in command.stdout


@contextmanager
def _step(name: str) -> Iterator[None]:
    """One line of progress."""
    start = time.monotonic()
    print(f"{name} …", end=" ", flush=True)
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - start:.1f} s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description="The template on an emulator of AWS")
    parser.add_argument("verb", choices=["up", "down"])
    verb = parser.parse_args().verb
    if verb == "down":
        print("stopped" if down() else "nothing was running")
        return 0
    try:
        state = up(int(os.environ.get("PORT", DEFAULT_PORT)))
    except CloudFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"\n{demo.summary(state)}\nLogs: {HOME}; stop it with `make cloud-stop`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
