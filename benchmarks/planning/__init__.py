"""What to run: settings, suite files, rows resolved once, identity, the plan (no torch)."""
