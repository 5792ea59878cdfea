"""Engines on a Ray cluster. Nothing outside this package imports Ray."""
