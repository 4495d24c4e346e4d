"""What must be settled before torch and its kin are imported. Standard library only."""

import os
import sys

# They come along with a dependency. transformers imports them where it finds them, for a generation mode and for losses of
# object detection that nothing here uses; without them a job starts 3 s of CPU time sooner.
_LEFT_OUT = ("sklearn", "scipy")
# No job and no service may reach out: models and data are what it was given.
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}


def prepare_imports() -> None:
    """To be called before any library of the field is imported."""
    os.environ.update(_OFFLINE)
    os.environ["TQDM_DISABLE"] = "1"  # progress bars would crowd the last lines of the log, which a failure shows
    # Threads that wait for each other sleep and do not spin: on a machine that does anything else beside, steps take a third of the time.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name in _LEFT_OUT:
        sys.modules[name] = None  # type: ignore[assignment]
