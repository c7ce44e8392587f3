"""Becomes an operator's tool server (`stdio_child.py MEMORY_MB CPU_S ARGV…`), under limits that the kernel keeps and with an empty
environment.

It imports nothing of ours.
"""

import os
import resource
import sys

FILES = 256
WRITTEN_BYTES = 256 * 1024 * 1024


def main(memory_mb: int, cpu_s: int, argv: list[str]) -> None:
    """Does not return."""
    # Data, not addresses: JavaScript's engine reserves gigabytes of addresses that it never uses.
    for limit, most in (
        (resource.RLIMIT_DATA, memory_mb * 1024 * 1024),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_FSIZE, WRITTEN_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    os.chdir("/")
    os.execve(argv[0], argv, {})  # noqa: S606  no shell, and nothing but what the operator's file says


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
