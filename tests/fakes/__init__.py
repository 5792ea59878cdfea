"""Implementations of the ports that are small, deterministic and keep time with asyncio.sleep."""
