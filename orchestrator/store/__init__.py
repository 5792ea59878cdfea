"""PostgreSQL: the only package that holds SQL."""
