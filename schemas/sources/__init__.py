"""Whether sources are alive: how fresh their data is, and how timely their reports were."""
