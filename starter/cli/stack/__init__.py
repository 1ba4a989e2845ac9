"""`orders up`: everything on one machine."""
