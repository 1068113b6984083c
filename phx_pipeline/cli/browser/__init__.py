"""`phx browser`: the Chromium that opens what plain HTTP is refused."""
