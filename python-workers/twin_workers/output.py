"""What a worker prints, on its way to disk: secrets masked, size capped, the pipe always drained. Standard library only."""

import os
from collections.abc import Mapping
from pathlib import Path

MASK = b"***"
# Two files of this size at most; what is older is gone, and the log says so.
LOG_BYTES = 8 << 20
_READ_BYTES = 1 << 16
_PUMP_BYTES = 4 << 20


def masked_values(variables: Mapping[str, str]) -> list[bytes]:
    """
    The secrets that must not reach the disk.

    `TWIN_MASKED` names variables whose values are secret; `TWIN_MASKED_FILE` names a file with one secret a line. Requests hold neither.
    """
    values = [variables.get(name, "") for name in variables.get("TWIN_MASKED", "").split(",") if name]
    path = variables.get("TWIN_MASKED_FILE")
    if path:
        try:
            values += Path(path).read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise SystemExit(f"The file of values to mask cannot be read, so nothing is run: {error}") from error
    # Longest first: a secret that begins another one would leave its end to be seen. One or two letters are no secret, but every log.
    return sorted({value.encode() for value in values if len(value) > 2}, key=lambda value: (-len(value), value))


def mask(text: bytes, secrets: list[bytes]) -> bytes:
    """The text without any of the secrets."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    return text


class Output:
    """Takes what a worker prints from a pipe and writes it to a log that cannot outgrow the disk."""

    def __init__(self, log: Path, secrets: list[bytes], log_bytes: int = LOG_BYTES) -> None:
        self._log, self._secrets, self._limit = log, secrets, log_bytes
        self._file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._size = os.fstat(self._file).st_size
        self._held = b""
        self._dropped = 0
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        for end in (self.reader, self.writer):
            os.set_inheritable(end, False)

    def take_streams(self) -> None:
        """In the worker: standard output and error go into the pipe."""
        os.dup2(self.writer, 1)
        os.dup2(self.writer, 2)
        os.close(self.reader)

    def pump(self) -> bool:
        """Move what has come, some megabytes at most, so that whoever calls has time for other things; false where nothing had."""
        moved = 0
        while moved < _PUMP_BYTES:
            try:
                block = os.read(self.reader, _READ_BYTES)
            except BlockingIOError:
                break
            if not block:
                break
            moved += len(block)
            self._write(block)
        return moved > 0

    def say(self, line: str) -> None:
        """A line of the keeper's own."""
        self._write(f"{line}\n".encode())

    def close(self) -> None:
        """Move the rest."""
        while self.pump():
            pass
        held, self._held = self._held, b""
        self._append(held)

    def _write(self, block: bytes) -> None:
        text = mask(self._held + block, self._secrets)
        self._held = _begun(text, self._secrets)
        self._append(text[: len(text) - len(self._held)])

    def _append(self, text: bytes) -> None:
        if self._size + len(text) > self._limit:
            self._turn()
        try:
            while text:
                written = os.write(self._file, text)
                self._size += written
                text = text[written:]
        except OSError:
            pass  # a full disk costs lines of the log, never the job

    def _turn(self) -> None:
        """Begin a new file; the one before the last is given up."""
        older = self._log.with_name(f"{self._log.name}.1")
        try:
            self._dropped += older.stat().st_size if older.exists() else 0
            os.replace(self._log, older)
            file = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError:
            return
        os.close(self._file)
        self._file, self._size = file, 0
        if self._dropped:
            self._size += os.write(file, f"[{self._dropped} bytes of earlier output were dropped]\n".encode())


def _begun(text: bytes, secrets: list[bytes]) -> bytes:
    """The end of a text that may be the beginning of a secret; empty where nothing could be."""
    longest = b""
    for secret in secrets:
        for length in range(min(len(secret) - 1, len(text)), len(longest), -1):
            if text.endswith(secret[:length]):
                longest = secret[:length]
                break
    return longest
