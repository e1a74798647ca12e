package tidecast.peers;

/** The answer to an event: quantiles[level][lead - 1]; named as in the JSON. */
public class Forecast {
    public String series_id;
    public String origin;
    public float[] quantile_levels;
    public float[][] quantiles;
}
