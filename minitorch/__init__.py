"""minitorch: a deep-learning library to read, to teach from and to use."""
