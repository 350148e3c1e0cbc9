"""One invocation of a built function under the real Lambda runtime: `python -m local.invoke <function> <case>`.

aws-lambda-rie (from sam's own installation) is the environment, awslambdaric the runtime client. The function gets the
environment that it has on the emulator if `make cloud` runs; otherwise only what needs no AWS can answer. An event may
say KEY_OF_LISTS (or another dialect) and LIST_ID: they become the demo tenant's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

import requests

from . import cloud, demo, template
from .cloud import BUILD, ROOT, CloudFailed
from .description import Function

RUNTIME = ROOT / ".tools" / "ric" / "bin" / "python"
EMULATORS = ROOT / ".tools" / "sam" / "lib" / "python3.13" / "site-packages" / "samcli" / "local" / "rapid"
LAYERS = ("DepsLayer", "CoreLayer")
READY_SECONDS = 10


def invoke(name: str, case: str) -> tuple[str, list[str]]:
    """The answer, and the runtime's own lines about it. `name` and `case` as in events/<name>/<case>.json.

    Raises CloudFailed.
    """
    event = ROOT / "events" / name / f"{case}.json"
    if not event.exists():
        there = sorted(ROOT.glob("events/*/*.json"))
        calls = "\n".join(f"  make invoke F={path.parent.name} E={path.stem}" for path in there)
        raise CloudFailed(f"there is no events/{name}/{case}.json; there are:\n{calls}")
    parameters = cloud.parameters_of("local") | {"Architecture": cloud.architecture()}
    function = _function(name, parameters)
    cloud.build(parameters)
    with tempfile.TemporaryFile("w+") as log, _runtime(function, log) as url:
        # One request at a time: a second one at once kills the emulator.
        patience = function.timeout + READY_SECONDS
        body = demo.fill(event.read_text(), cloud.running() or {}).encode()
        answer = requests.post(url, body, timeout=patience).text
        log.seek(0)
        return answer, [line.strip() for line in log]


def _function(name: str, parameters: Mapping[str, str]) -> Function:
    functions = template.read(ROOT / "template.yaml", parameters).functions.values()
    found = [function for function in functions if function.folder.name == name]
    if not found:
        raise CloudFailed(f"there is no function {name}: {', '.join(sorted(f.folder.name for f in functions))}")
    return found[0]


@contextmanager
def _runtime(function: Function, log: IO[str]) -> Iterator[str]:
    task = BUILD / function.name
    port = cloud.free_port()
    command = [
        str(EMULATORS / f"aws-lambda-rie-{cloud.architecture()}"),
        "--log-level=info",
        f"--runtime-interface-emulator-address=127.0.0.1:{port}",
        f"--runtime-api-address=127.0.0.1:{cloud.free_port()}",
        *(str(RUNTIME), "-m", "awslambdaric", function.handler),
    ]
    environment = {
        **_environment(function),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(str(path) for path in (task, *(BUILD / layer / "python" for layer in LAYERS))),
        "LAMBDA_TASK_ROOT": str(task),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(int(function.timeout)),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
    }
    process = subprocess.Popen(command, cwd=task, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _environment(function: Function) -> dict[str, str]:
    state = cloud.running()
    if state is None:
        return {**function.environment, **cloud.DUMMY_CREDENTIALS}
    from . import stack  # noqa: PLC0415  # boto3 takes a second to import

    physical = state["resources"][function.name]
    return {**stack.environment(physical, state["endpoint"]), **cloud.DUMMY_CREDENTIALS}


def _wait(port: int) -> None:
    for _ in range(READY_SECONDS * 50):
        if cloud.answers(port):
            return
        time.sleep(0.02)
    raise CloudFailed("aws-lambda-rie did not start")


def main() -> int:
    if cloud.running() is None:
        print("`make cloud` is not running: what needs the table answers 503", file=sys.stderr)
    try:
        answer, lines = invoke(*sys.argv[1:3])
    except CloudFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    for line in lines:
        print(line)
    try:
        print(json.dumps(json.loads(answer), indent=2, ensure_ascii=False))
    except json.JSONDecodeError:
        print(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
