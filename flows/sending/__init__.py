"""Packets of questions on their way to the centers, and what comes back.

`news` tells which centers have something new, `packets` writes and marks it, `delivery` brings a packet
to its center as `study.yaml` says (`by_folder`, `by_sftp`, `by_mail`), `record` keeps what was brought.
"""
