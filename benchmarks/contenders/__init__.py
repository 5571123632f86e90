"""The contenders, one module each; programs that run as children lie in ``programs``."""
