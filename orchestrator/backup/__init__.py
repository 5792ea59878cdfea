"""Backups: an installation's database, objects and vectors as one file, and back."""
