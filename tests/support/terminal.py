"""Runs a command in a terminal of its own, presses Ctrl-C when a text has appeared, and prints how it ended as JSON.

usage: terminal.py <text> <times> <command> [argument ...]
"""

import json
import os
import pty
import select
import sys
import time

expected, times, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)

output = b""
presses = int(times)
press_at = 0.0
while True:
    ready, _, _ = select.select([terminal], [], [], 0.05)
    if ready:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        output += chunk
    if presses > 0 and expected.encode() in output and time.monotonic() >= press_at:
        os.write(terminal, b"\x03")
        presses -= 1
        press_at = time.monotonic() + 1.0  # a second press that comes at once is taken for the same one
status = os.waitpid(pid, 0)[1]
code = os.waitstatus_to_exitcode(status)
print(json.dumps({"code": code, "output": output.decode("utf-8", "replace")}))
