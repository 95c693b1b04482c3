"""`python -m safeguard` is the command `safeguard`."""

from __future__ import annotations

from safeguard.cli import main

if __name__ == "__main__":
    main()
