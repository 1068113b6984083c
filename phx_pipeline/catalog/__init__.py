"""The catalogue: the one store of truth, on SQLite or PostgreSQL."""
