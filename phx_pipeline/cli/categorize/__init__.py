"""`phx categorize`: what pictures show, named anew, and who says it."""
