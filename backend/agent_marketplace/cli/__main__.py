"""`python -m agent_marketplace.cli`: the console script, where no script is installed."""

from agent_marketplace.cli.main import main

main()
