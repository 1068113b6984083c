"""Settings in, ready objects out: the one place where parts are put together.

Each room imports what its objects need: who only reads is not to load what runs need.
"""
