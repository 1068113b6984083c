"""`phx review`: names of pictures that people look at, and what they say of them."""
