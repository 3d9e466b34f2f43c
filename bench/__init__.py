"""Measures icegil beside plain Ice, on this machine; `python -m bench`."""
