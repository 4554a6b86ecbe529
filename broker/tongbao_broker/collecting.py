"""Python's garbage collector in a worker that runs for weeks.

1. What is loaded when a worker is ready (modules, models, keys) stays for good: it is set apart, so that no
   collection walks through it again.
2. A batch makes tens of thousands of objects that die by their reference counts, nearly all of them without
   cycles. Looking for cycles after every 700 of them, as Python does by default, costs a tenth of the
   worker's time; after 50,000 it costs next to nothing, and what has cycles waits a little longer.
"""

import gc

OBJECTS, GENERATION, OLDEST = 50_000, 10, 10


def settle_down() -> None:
    """Collects once, sets apart what is loaded, and collects less often from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, GENERATION, OLDEST)
