"""`icegil timeline`: a trace of a shutdown as a picture."""
