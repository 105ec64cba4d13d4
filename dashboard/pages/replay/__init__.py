"""`/replay`: choose and compare moments of the past, and rerun the stream."""
