"""`agent-marketplace`, the console script. Exit codes: 0 done, 1 failed, 2 wrong use or settings, 130 interrupted (Ctrl-C)."""

import gc
import sys


def main() -> None:
    """Loads the commands and runs the one that was asked for; Ctrl-C ends it without a traceback, also while it loads."""
    try:
        gc.disable()  # modules stay: walking them while they load finds nothing
        from agent_marketplace.cli.app import run

        gc.enable()
        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
