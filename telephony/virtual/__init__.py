"""Callers without a line: simulated calls whose caller is a text, a recording or a script, in this very process."""
