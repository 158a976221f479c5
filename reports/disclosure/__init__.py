"""What may leave: a report for readers who must not learn of single patients.

`system` knows which counts follow from which, `suppress` withholds cells until none that is small can be computed,
`tables`, `curves` and `hazards` make the blocks, `external` the page and the files beside it. The internal report
is not touched. Only what these modules know how to make safe goes in: everything else is left out, and told.
"""
