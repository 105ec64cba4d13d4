"""Judge sources: how fresh their data is, and how timely they were."""
