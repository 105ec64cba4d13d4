"""Scoreboard of the province's targets.

`page` lists them, `detail` shows one with its `chart`, `sheet` makes the files.
"""
