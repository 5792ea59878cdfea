"""Voice activity detectors, one engine a module."""
