package tidecast.peers;

import java.util.Arrays;

/** What is remembered of a series: its window, NaN where missing, and the model's state. */
public class Known {
    public float[] window;
    public float[] state;

    /** Of a series before its first value. */
    public static Known blank(int context, int stateSize) {
        Known known = new Known();
        known.window = new float[context];
        Arrays.fill(known.window, Float.NaN);
        known.state = new float[stateSize];
        return known;
    }

    /** The window with one more value, as a new array: stores may still hold the old one. */
    public float[] windowWith(float value) {
        float[] shifted = new float[window.length];
        System.arraycopy(window, 1, shifted, 0, window.length - 1);
        shifted[window.length - 1] = value;
        return shifted;
    }
}
