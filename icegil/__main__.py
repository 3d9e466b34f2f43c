"""`python -m icegil`: the same as the `icegil` command."""

from icegil.cli import main

main()
