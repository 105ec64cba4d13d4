"""Events: their codes, payloads and kinds, their canonical form, their envelope, and the topics and partitions they lie in."""
