"""
What every service shares: requests on standard input, replies on file descriptor 3, and an end with twin.

A service is a module with `start() -> Service`. Requests are answered one after another; a `cancel` overtakes them. Standard library only.
"""

import importlib
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from twin_workers.imports import prepare_imports
from twin_workers.process import die_with_parent
from twin_workers.protocol import PROTOCOL_VERSION

_REPLY_DESCRIPTOR = 3


class RequestFailure(Exception):  # noqa: N818 - it is what the protocol calls it
    """A request that cannot be answered, and why; the service goes on."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True)
class Request:
    """One request: its data, and what its handler may do besides returning the answer."""

    id: int
    method: str
    data: dict[str, Any]
    reply: Callable[[Mapping[str, Any]], None]
    cancelled: threading.Event

    def piece(self, data: Mapping[str, Any]) -> None:
        """Send a part of the answer ahead."""
        self.reply({"id": self.id, "piece": data})

    def end_if_cancelled(self) -> None:
        """For a handler that works in rounds: leave it between two of them."""
        if self.cancelled.is_set():
            raise RequestFailure("cancelled", "The request was cancelled")

    def value(self, name: str, kind: type | tuple[type, ...]) -> Any:
        """A member of the data, of the type that the method needs."""
        value = self.data.get(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise RequestFailure("invalid-request", f"{self.method}: `{name}` is missing or of the wrong type")
        return value


@dataclass(frozen=True)
class Service:
    """What a service says of itself first, and its methods by name."""

    hello: Mapping[str, Any]
    methods: Mapping[str, Callable[[Request], Mapping[str, Any]]]


def serve_until_closed(name: str, idle_seconds: float) -> NoReturn:
    """Answer requests until standard input closes (which ends the process at once) or none came for `idle_seconds`."""
    parent = os.getppid()
    send = _reply_channel()
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; twin decides what it means
    waiting: queue.Queue[Request] = queue.Queue()
    threading.Thread(target=_read_requests, args=(waiting, send), daemon=True).start()
    threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()

    prepare_imports()
    try:
        service = importlib.import_module(f"twin_workers.services.{name.replace('-', '_')}").start()
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # an orderly end would wait for the thread that reads, and abort
    send({"hello": {"v": PROTOCOL_VERSION, "service": name, "pid": os.getpid(), "data": service.hello}})
    while True:
        try:
            request = waiting.get(timeout=idle_seconds)
        except queue.Empty:
            os._exit(0)  # an orderly end would wait for the thread that reads
        send(_answer(service, request))


def _answer(service: Service, request: Request) -> Mapping[str, Any]:
    try:
        request.end_if_cancelled()
        method = service.methods.get(request.method)
        if method is None:
            raise RequestFailure(
                "unknown-method", f"There is no method {request.method}; there are {', '.join(service.methods)} and cancel"
            )
        return {"id": request.id, "data": method(request)}
    except RequestFailure as failure:
        return {"id": request.id, "error": {"reason": failure.reason, "message": failure.message}}
    except Exception as error:
        traceback.print_exc()
        return {"id": request.id, "error": {"reason": "bug", "message": f"{type(error).__name__}: {error}"}}


def _read_requests(waiting: "queue.Queue[Request]", send: Callable[[Mapping[str, Any]], None]) -> None:
    cancelled: dict[int, threading.Event] = {}
    for line in sys.stdin.buffer:
        try:
            message = json.loads(line)
            request = Request(int(message["id"]), str(message["method"]), dict(message["data"]), send, threading.Event())
        except (ValueError, KeyError, TypeError) as error:
            print(f"Not a request ({error!r}): {line[:200]!r}", file=sys.stderr, flush=True)
            continue
        if request.method == "cancel":
            if target := cancelled.get(request.data.get("id", 0)):
                target.set()
            send({"id": request.id, "data": {}})
        else:
            cancelled[request.id] = request.cancelled
            waiting.put(request)
    os._exit(0)


def _watch_parent(parent: int) -> None:
    """For platforms where the kernel does not end a child with its parent."""
    pause = threading.Event()
    while not pause.wait(1):
        if os.getppid() != parent:
            os._exit(0)


def _reply_channel() -> Callable[[Mapping[str, Any]], None]:
    """Take the reply descriptor (3, else standard output) for replies alone: what libraries print goes to standard error."""
    try:
        os.fstat(_REPLY_DESCRIPTOR)
        descriptor = os.dup(_REPLY_DESCRIPTOR)
        os.close(_REPLY_DESCRIPTOR)
    except OSError:
        descriptor = os.dup(1)
    os.dup2(2, 1)
    os.set_inheritable(descriptor, False)
    os.set_blocking(descriptor, True)
    replies = os.fdopen(descriptor, "wb", buffering=0)
    lock = threading.Lock()

    def send(reply: Mapping[str, Any]) -> None:
        line = memoryview(json.dumps(reply, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n")
        with lock:
            while line:
                line = line[replies.write(line) :]

    return send
