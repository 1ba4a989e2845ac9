"""`orders demo`: orders played live."""
