"""Near-duplicates within a property: perceptual hashes and clusters; no I/O."""
