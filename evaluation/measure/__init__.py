"""What the contenders said, and what it is worth."""
