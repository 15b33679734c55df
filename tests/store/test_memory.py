"""What is freed is kept: a second array of the same size faults no page in."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from physprobe.store import memory

if {kept}:
    memory.keep()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**24)  # 128 MB
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's options")
def test_what_is_freed_is_there_for_the_next_step():
    first, second = (
        int(subprocess.run([sys.executable, "-c", PROGRAM.format(kept=kept)], check=True,
                           capture_output=True, text=True).stdout)
        for kept in (False, True)
    )  # fmt: skip
    assert second < 50 < first
