"""Getting bytes from the sources: one seam, and the policies in front of it."""
