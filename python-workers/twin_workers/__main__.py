"""`python -m twin_workers keep <attempt folder>`, `job <attempt folder>` or `serve <service> [--idle-seconds N]`."""

import argparse
import sys
from pathlib import Path


def main() -> int:
    """Run what the command line names; the heavy libraries are imported by the job or service itself."""
    parser = argparse.ArgumentParser(prog="python -m twin_workers", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, summary in (
        ("keep", "hold one attempt of a job: start its worker, wait, write exit.json"),
        ("job", "run an attempt's job in this process"),
    ):
        verbs.add_parser(verb, help=summary).add_argument("attempt", type=Path)
    serve = verbs.add_parser("serve", help="answer requests on standard input until it closes")
    serve.add_argument("service", choices=["embedder", "chat-model"], type=lambda name: name.replace("_", "-"))
    serve.add_argument("--idle-seconds", type=float, default=60)
    arguments = parser.parse_args()

    if arguments.verb == "keep":
        from twin_workers.keeper import keep

        return keep(arguments.attempt)
    if arguments.verb == "job":
        from twin_workers.attempt import run_attempt

        return run_attempt(arguments.attempt)
    from twin_workers.services.channel import serve_until_closed

    serve_until_closed(arguments.service, arguments.idle_seconds)


if __name__ == "__main__":
    sys.exit(main())
