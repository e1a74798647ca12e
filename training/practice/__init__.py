"""The practice of fitting, piece by piece: what a loop calls, and no loop.

Nothing here keeps a state of its own that a checkpoint could miss: rates and stopping are functions
of the step and of the losses so far.
"""
