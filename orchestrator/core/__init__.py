"""The vocabulary of a call and the ports of its engines: standard library and numpy only."""
