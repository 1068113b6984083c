"""The JSON files of the metadata folder, each a pure function of catalogue rows.

Every `render` returns the whole text of one file: indent 2, one trailing newline, to be
written as UTF-8. The same rows give the same bytes; nothing here reads or writes files.
"""
