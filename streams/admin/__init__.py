"""The work of the administrators' commands: migrate, verify, rebuild, retain, dead letters.

`compare` and `compare_lives` hold the statements that verify and rebuild share; `period` is the
stretch of time that they are given; `units` fills the reference tables during migrate.
"""
