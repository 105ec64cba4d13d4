"""Parts that several pages are built of: cards, tables, bars, alarm texts, outlines."""
