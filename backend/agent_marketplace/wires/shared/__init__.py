"""What more than one wire needs."""
