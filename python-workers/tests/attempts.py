"""Makes attempts of jobs as twin would, and reads what they left."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twin_workers.schemas import problems, schemas

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "### Instruction:\n{instruction}\n\n### Response:\n"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


class Attempt:
    """One attempt's folder, its processes and its files."""

    def __init__(self, root: Path, job: str, params: dict[str, Any], inputs: dict[str, Path], number: int = 1, changes: Any = ()) -> None:
        self.folder = root / f"attempt-{number}"
        self.folder.mkdir(parents=True)
        contract = schemas()["jobs"].get(job, {"params": {"properties": {}}, "outputs": ["rows"]})
        self.outputs = {name: self.folder / "outputs" / name for name in contract["outputs"]}
        self.request = {
            "v": 1,
            "id": "job-1",
            "attempt": number,
            "job": job,
            "params": {**defaults(contract["params"]), **params},
            "inputs": {name: str(path) for name, path in inputs.items()},
            "outputs": {name: str(path) for name, path in self.outputs.items()},
            "checkpoints": str(root / "checkpoints"),
            "promptTemplate": {"text": TEMPLATE, "digest": hashlib.sha256(TEMPLATE.encode()).hexdigest()},
            "leaseSeconds": None,
            "deadlines": None,
            "adaptations": [],
            "gpus": 1,
            **dict(changes),
        }
        (self.folder / "request.json").write_text(json.dumps(self.request))

    def run(self) -> int:
        """Run the job to its end in a process of its own and return its exit code."""
        return subprocess.run(self._command("job"), env=ENVIRONMENT, stderr=subprocess.PIPE).returncode

    def keep(self) -> subprocess.Popen[bytes]:
        """Start a keeper."""
        return subprocess.Popen(self._command("keep"), env=ENVIRONMENT, stdin=subprocess.DEVNULL, start_new_session=True)

    def _command(self, verb: str) -> list[str]:
        return [sys.executable, "-m", "twin_workers", verb, str(self.folder)]

    def command(self, name: str) -> None:
        """Ask the worker for something."""
        with (self.folder / "commands.jsonl").open("a") as file:
            file.write(json.dumps({"seq": 1, "command": name}) + "\n")

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The events so far, each checked against the contract."""
        path = self.folder / "events.jsonl"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        events = [json.loads(line) for line in lines]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert [problem for event in events for problem in problems(event, schemas()["event"], "event")] == []
        return [event for event in events if kind in (None, event["type"])]

    def record(self, name: str) -> dict[str, Any]:
        """keeper.json or exit.json."""
        return json.loads((self.folder / f"{name}.json").read_text())

    def rows(self, name: str) -> list[dict[str, Any]]:
        """An output of rows."""
        return [json.loads(line) for line in self.outputs[name].read_text().splitlines()]

    def summary(self) -> dict[str, Any]:
        """The output `summary`."""
        return json.loads(self.outputs["summary"].read_text())

    def error(self) -> dict[str, Any]:
        """What the last error event says."""
        return self.events("error")[-1]["data"]

    def log(self) -> str:
        """What keeper and worker printed."""
        return (self.folder / "output.log").read_text()


def defaults(schema: dict[str, Any]) -> dict[str, Any]:
    """The params that a job has where nobody sets them."""
    values = {}
    for name, property_schema in schema["properties"].items():
        if "default" in property_schema:
            values[name] = property_schema["default"]
        elif "properties" in property_schema:
            values[name] = defaults(property_schema)
    return values


def wait_until(holds: Callable[[], Any], seconds: float = 30) -> None:
    """Look until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether the process runs, and is more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A JSON Lines file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run_here(attempt: Attempt, watch: Callable[[Any, str, Any], None] | None = None) -> int:
    """Run the attempt's job in this process, which has the libraries loaded; `watch` sees job, kind and data of every event."""
    from twin_workers.attempt import Job, _run
    from twin_workers.protocol import EventWriter

    events = EventWriter(attempt.folder / "events.jsonl", attempt.request["id"], attempt.request["attempt"])
    job = Job(attempt.request, events)
    if watch is not None:
        emit = events.emit
        events.emit = lambda kind, data: (emit(kind, data), watch(job, kind, data))[0]
    return _run(job)
