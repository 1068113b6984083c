"""What begins by the clock; when is said by settings."""
