"""`python -m harness`."""

import sys

if not sys.flags.safe_path:  # the working folder is first: a random.py of the user's would be imported
    sys.path.append(sys.path.pop(0))

from harness.cli import main

if __name__ == "__main__":
    main()
