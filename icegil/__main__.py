"""`python -m icegil`: the same as the `icegil` command."""

from icegil.commands.cli import main

main()
