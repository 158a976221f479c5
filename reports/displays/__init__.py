"""One module per display family: the analysis tables in, rows of `analysis.estimate` out."""
