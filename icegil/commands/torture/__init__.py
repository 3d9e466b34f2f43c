"""The shutdown scenarios, and what runs them."""
