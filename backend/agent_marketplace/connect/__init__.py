"""Settings of the programs people use: one table for the Connect page, the command line, the documentation and the trials."""

from agent_marketplace.connect.table import Client, Connection, Step, clients, shown

__all__ = ["Client", "Connection", "Step", "clients", "shown"]
