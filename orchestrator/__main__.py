"""`python -m orchestrator` is `offhook`."""

from orchestrator.cli import main

main()
