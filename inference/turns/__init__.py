"""Detectors of a finished turn, one engine a module."""
