"""The REST interface: what is asked over HTTP, checked, and answered with documents.

What the documents are is told by `reads`, what becomes of jobs by `jobs`, and who may
ask by the guard before all of it. Nothing of Dagster is here.
"""
