package tidecast.peers;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** What is known of a series as bytes: the window's length, the window, the state. */
final class KnownSerde implements Serde<Known> {
    @Override
    public Serializer<Known> serializer() {
        return (topic, known) -> {
            int numbers = known.window.length + known.state.length;
            ByteBuffer buffer = ByteBuffer.allocate(Integer.BYTES + numbers * Float.BYTES);
            buffer.putInt(known.window.length);
            buffer.asFloatBuffer().put(known.window).put(known.state);
            return buffer.array();
        };
    }

    @Override
    public Deserializer<Known> deserializer() {
        return (topic, bytes) -> {
            if (bytes == null) {
                return null; // The store asks for series that it does not know.
            }
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            Known known = new Known();
            known.window = new float[buffer.getInt()];
            known.state = new float[buffer.remaining() / Float.BYTES - known.window.length];
            buffer.asFloatBuffer().get(known.window).get(known.state);
            return known;
        };
    }
}
