"""What one pair cannot see: who stands beside an owner, and how the register knows them."""
