"""Engines in supervised processes of this machine."""
