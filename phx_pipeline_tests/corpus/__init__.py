"""Labelled pictures to measure de-duplication on, made from real photos.

Copies are made as listing sites make them (`copies`). Look-alikes must stay apart: a
moved camera (`cameras`), plans that share a template, pages of text (`pages`). Every
random number is drawn per (seed, photo, kind), so that adding photos changes nothing
else.
"""
