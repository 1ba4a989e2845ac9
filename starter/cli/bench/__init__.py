"""`orders bench`: what this installation takes."""
