from benchmarks import crash, judging, launch, mastery, night, pull, resync, scale
