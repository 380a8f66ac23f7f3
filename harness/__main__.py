"""`python -m harness`."""

import gc
import sys

if not sys.flags.safe_path:  # the working folder is first: a random.py of the user's would be imported
    sys.path.append(sys.path.pop(0))

from harness.cli import main

if __name__ == "__main__":
    try:
        main()
    finally:
        gc.freeze()  # else Python looks at every object once more, for a third of a second, before it ends
