"""Other people's switches, started and driven so that they do the same work as ours."""
