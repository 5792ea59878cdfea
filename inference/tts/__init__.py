"""Voices, one engine a module."""
