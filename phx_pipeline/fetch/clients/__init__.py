"""The clients that can answer a request; no policy belongs here."""
