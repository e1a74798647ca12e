"""The peers written in Python. Those that are not Faust run in an environment of their own.

So nothing here, and nothing above, may import the product or the rest of the bench.
"""
