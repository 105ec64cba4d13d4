"""Scores by sets of criteria, the index of Decision 766 first: `bars`, `page` (the province and the leagues), `unit`, `sheet`."""
