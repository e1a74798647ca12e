package tidecast.peers;

import java.util.Map;

/** One measured point; a plain object with the names of the JSON, as both systems' mappers want. */
public class Event {
    public String series_id;
    public String timestamp;
    public Map<String, Float> values;
}
