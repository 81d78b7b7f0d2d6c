"""Values as written become values that may be compared; one field a module, pure."""
