"""`/sources`: the feeds of each agency, their timeliness, and what was refused."""
