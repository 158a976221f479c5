"""Figures as inline SVG, drawn from rows of `analysis.estimate` and nothing else."""
