"""Runs of agents: a model that calls tools in a loop, within a cap that is never crossed; every step a row before its effect."""
