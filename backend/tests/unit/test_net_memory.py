"""A server that has once served large bodies does not keep their memory for ever."""

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from agent_marketplace.net.server import give_back_large_blocks

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

if sys.argv[1] == "yes":
    give_back_large_blocks()
block = bytearray(20 << 20); del block
before, kept = resident(), []
blocks = []
for _ in range(6):
    blocks.append(bytes(b"x" * (20 << 20)))
    kept.append([bytes(600) for _ in range(2_000)])
del blocks
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have their own ways")
def test_large_blocks_go_back_to_the_system_though_small_ones_lived_beside_them() -> None:
    grown = {
        how: int(subprocess.check_output([sys.executable, "-c", SCRIPT, how], text=True))
        for how in ("no", "yes")
    }
    assert grown["yes"] < 30 < grown["no"], grown
