"""Benches: one question each, asked of the real servers. Run `scripts/bench --help`.

The questions: throughput (which also asks for `peers`), latency, latency_beside (its peers),
    workers, stages, models, series, start, publishing, subscribing, recovery; all of them in
    `suite`.
What is run: processes, race (one over a backlog), steady (one under a steady load), systems (those
    under it), crew (workers that are up), group, jobs, small_gru, line (the stages of a worker in
    a row).
What it is given: streams, workload, backlog, pacing. What it leaves: outputs; reading (as it
    comes). Both by Kafka's C client: c_client.
The answer: report, tables, page, pictures, charts; statistics, machine.

`peers` are other systems on the same job, their programs in `peers/python` and `peers/jvm`.
`faults` is `scripts/bench faults` and `scripts/bench soak`. `accuracy` is
`scripts/bench accuracy`: it asks for no speed.
"""
