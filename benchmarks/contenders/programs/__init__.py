"""Programs that contenders run as child processes. Each reads its place from ``BENCH_…``."""
