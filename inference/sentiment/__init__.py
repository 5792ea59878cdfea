"""Classifiers of a sentence's mood."""
