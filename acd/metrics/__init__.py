"""The metric laboratory: one log of what happened, and every definition of every figure.

Knows actions and instants.  Refuses to know how the engine decides, and what a wall clock shows.
`Logbook` folds actions; `queue_tally` and `agent_tally` count an interval of it; `definitions`
makes figures of the counts, each with its formula; `proportions` says what few calls prove;
`queue_log` speaks Asterisk's.
"""
