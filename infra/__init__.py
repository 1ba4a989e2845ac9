"""STAND ON: settings, database, engine connection, telemetry, the sandbox world."""
