"""What API, command line and page read: each a fixed number of queries, however large the order or the page."""
