"""`python -m twin_workers keep <attempt folder>`, `job <attempt folder>` or `serve <service> [--idle-seconds N]`."""

import argparse
import json
import sys
from pathlib import Path


def main() -> int:
    """Run what the command line names; the heavy libraries are imported by the job or service itself."""
    parser = argparse.ArgumentParser(prog="python -m twin_workers", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    keep_parser = verbs.add_parser("keep", help="hold one attempt of a job: start its worker, wait, write exit.json")
    keep_parser.add_argument("attempt", type=Path)
    keep_parser.add_argument("--requeued", action="store_true", help="a batch system ran it before: hold a further attempt")
    verbs.add_parser("job", help="run an attempt's job in this process").add_argument("attempt", type=Path)
    verbs.add_parser("warm", help="import what jobs need and fork their keepers, until standard input closes")
    verbs.add_parser("status", help="say where an attempt stands, as JSON").add_argument("attempt", type=Path)
    devices_parser = verbs.add_parser("devices", help="say which GPUs there are and who has them, as JSON")
    devices_parser.add_argument("--release", metavar="UUID", help="end the quarantine of this one first")
    relay_parser = verbs.add_parser("relay", help="hand on what an attempt says, to a twin on another machine")
    relay_parser.add_argument("attempt", type=Path)
    relay_parser.add_argument("--offset", type=int, default=0)
    serve = verbs.add_parser("serve", help="answer requests on standard input until it closes")
    serve.add_argument("service", choices=["embedder", "chat-model"], type=lambda name: name.replace("_", "-"))
    serve.add_argument("--idle-seconds", type=float, default=60)
    arguments = parser.parse_args()

    if arguments.verb == "keep":
        from twin_workers.keeper import further_attempt, keep

        attempt = further_attempt(arguments.attempt) if arguments.requeued else arguments.attempt
        return 0 if attempt is None else keep(attempt)
    if arguments.verb == "job":
        from twin_workers.attempt import run_attempt

        return run_attempt(arguments.attempt)
    if arguments.verb == "warm":
        from twin_workers.warm import warm

        return warm()
    if arguments.verb == "devices":
        from twin_workers.device_list import device_list

        print(json.dumps(device_list(arguments.release)))
        return 0
    if arguments.verb in ("status", "relay"):
        from twin_workers import remote

        if arguments.verb == "relay":
            return remote.relay(arguments.attempt, arguments.offset)
        print(json.dumps(remote.status(arguments.attempt)))
        return 0
    from twin_workers.services.channel import serve_until_closed

    serve_until_closed(arguments.service, arguments.idle_seconds)


if __name__ == "__main__":
    sys.exit(main())
