# Filled in by the foundations; `make help` lists the targets.
