"""What is only read and shown, as plain values: the same for commands, pages and REST.

Nothing here writes a row, asks a source, or prints.
"""
