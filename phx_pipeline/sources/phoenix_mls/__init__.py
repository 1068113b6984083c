"""Phoenix MLS."""
