"""What `icegil ...` does. No program loads any of it that does not ask for it."""
