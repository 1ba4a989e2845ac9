"""The command line: it speaks to the API, and starts the other rooms as processes."""
