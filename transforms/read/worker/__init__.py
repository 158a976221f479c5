"""The child process that parses workbooks and statistical files; imports no Polars.

`python -m transforms.read.worker` reads one JSON request a line and answers with JSON lines. What a
hostile file can do to a parser (crash, endless loop, memory) ends here and never in the run.
"""
