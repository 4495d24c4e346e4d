"""Prints milliseconds of one node of a chain, in memory."""

import logging
import sys
import time

logging.disable(logging.CRITICAL)
from kedro.io import DataCatalog, MemoryDataset  # noqa: E402
from kedro.pipeline import node, pipeline  # noqa: E402
from kedro.runner import SequentialRunner  # noqa: E402

count = int(sys.argv[1])
chain = pipeline([node(lambda x: x + 1, f"d{at}", f"d{at + 1}", name=f"n{at}") for at in range(count)])
catalog = DataCatalog({"d0": MemoryDataset(0)})
start = time.perf_counter()
SequentialRunner().run(chain, catalog)
print((time.perf_counter() - start) * 1000 / count)
