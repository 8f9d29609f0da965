"""Speed, measured: each benchmark prints our figure, a peer's and the limit, from one run.

What docs/benchmarks.md prints is produced here. Peers are named, the careful one beside the naive
one. No figure is asserted; machines differ, ratios within a run hold.
"""
