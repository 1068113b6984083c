"""From downloaded bytes to an upright sRGB picture and its standard PNG; no I/O."""
