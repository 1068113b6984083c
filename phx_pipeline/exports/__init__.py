"""The JSON files of the metadata folder, each a pure function of catalogue rows.

Every `render` returns the whole text of one file: indent 2, one trailing newline, to be
written as UTF-8. Where there may be very many rows, a function `…_parts` yields that
text bit by bit, and holds no more of it. The same rows give the same bytes; nothing
here reads or writes files.
"""
