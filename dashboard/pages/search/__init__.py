"""`/search?q=`: units, agencies and records by name or number."""
