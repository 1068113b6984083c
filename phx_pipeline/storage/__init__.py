"""Files below `data/`: where they are, how they get there whole, blobs by content."""
