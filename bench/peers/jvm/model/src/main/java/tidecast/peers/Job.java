package tidecast.peers;

import java.nio.file.Path;

/** What a peer is told by environment; see bench/peers/python/job.py. */
public record Job(
        String broker,
        String events,
        String forecasts,
        Path model,
        Path folder,
        int parallelism,
        boolean lowLatency) {

    /** The job of this process. */
    public static Job given() {
        return new Job(
                variable("BROKER"),
                variable("EVENTS"),
                variable("FORECASTS"),
                Path.of(variable("MODEL")),
                Path.of(variable("FOLDER")),
                Integer.parseInt(variable("PARALLELISM")),
                Boolean.parseBoolean(variable("LOW_LATENCY")));
    }

    /** A name for the peer's group, which no other run has. */
    public String name() {
        return "peer-" + forecasts;
    }

    private static String variable(String name) {
        return System.getenv("PEER_" + name);
    }
}
