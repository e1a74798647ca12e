"""`scripts/bench accuracy`: how good forecasts are, by the protocols of published tables.

contest (what is fitted on what, and the bars), rows (results and their table), command.
"""
