"""What telling one event costs: microseconds of CPU. `events.py <folder>`; prints {"event", "metric"} as JSON."""

# `apart` says where the packages are, and must come first.
# isort: skip_file
import json
import sys
import time
from pathlib import Path

import apart  # noqa: F401 - finds the package

from twin_workers.protocol import EventWriter

COUNT = 50_000


def main(folder: Path) -> None:
    """An event written at once, and a metric point as the writer batches it; the least of five rounds."""
    took: dict[str, list[float]] = {"event": [], "metric": []}
    for round_number in range(5):
        events = EventWriter(folder / f"events-{round_number}.jsonl", "job-1", 1)
        started = time.process_time()
        for step in range(COUNT):
            events.emit("progress", {"done": step, "total": COUNT, "unit": "steps"})
        took["event"].append((time.process_time() - started) / COUNT * 1e6)
        started = time.process_time()
        for step in range(COUNT):
            events.metric(step, {"loss": 1.25})
        took["metric"].append((time.process_time() - started) / COUNT * 1e6)
    print(json.dumps({name: min(values) for name, values in took.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
