"""What we are measured against, one file each, and how each is started (`starts`)."""
