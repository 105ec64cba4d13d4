"""What lies in ClickHouse: columns, tables and views, the derivation of lives, working time and retention. Declarations only."""
