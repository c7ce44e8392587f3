"""Agents over A2A 1.0 (and 0.3 where the operator says so): cards, JSON-RPC, HTTP+JSON. A task is a run."""
