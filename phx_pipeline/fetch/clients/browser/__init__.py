"""A real Chromium as a client; only this package imports nodriver."""
