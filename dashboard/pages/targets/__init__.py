"""The scoreboard of the province's targets: `board` (which, in which order), `page`, `detail` of one with its `chart`, `sheet`."""
