"""Language models, one engine a module."""
