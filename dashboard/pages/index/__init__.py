"""Scores by sets of criteria, the index of Decision 766 first.

`page` shows the province and the leagues, `unit` one unit, `sheet` makes the files.
"""
