"""`phx search`: what is looked for, and what was found."""
