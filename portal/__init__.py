"""The citizens' face."""
