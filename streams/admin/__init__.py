"""Commands for administrators: migrate, verify, rebuild, retain, dead letters."""
