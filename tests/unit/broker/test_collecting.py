"""The garbage collector of a worker."""

import subprocess
import sys

SCRIPT = """
import gc
from tongbao_broker.collecting import settle_down
settle_down()
class Node: pass
for _ in range(200_000):
    node = Node(); node.itself = node
print(gc.get_freeze_count() > 1000, sum(type(each) is Node for each in gc.get_objects()) < 120_000)
"""


def test_what_is_loaded_is_set_apart_and_cycles_are_still_collected() -> None:
    """In a process of its own, since it changes the whole process: less often is not never."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "True"]
