"""`scripts/bench accuracy`: how good forecasts are, by the protocols of published tables.

contest (what is fitted on what, and the bars), zero_shot (the shipped models on data that they have
never seen), suite (all of it, in order). rows, kept (what was found), tables, page, command.
"""
