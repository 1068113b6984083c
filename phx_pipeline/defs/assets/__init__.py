"""One module per asset; each calls one stage and reports its numbers."""
