"""Speech recognition, one engine a module, and the streaming algorithm over any of them."""
