"""The sources: how each agency's feeds stand and stood, who is timely, what was refused."""
