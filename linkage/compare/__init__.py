"""What a pair of records may agree on."""
