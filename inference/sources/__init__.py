"""Where model files come from. Every fetcher has the shape of `Fetcher` in fetcher.py."""
