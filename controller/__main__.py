"""``python -m controller``: the console script where there is none."""

from controller.cli import main

main()
