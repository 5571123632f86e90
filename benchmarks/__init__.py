"""Throughput, latency, recovery and memory of riskstream, beside what else could do the work."""
