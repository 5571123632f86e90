"""What ``riskstream doctor`` looks at: facts in, one finding per line out."""
