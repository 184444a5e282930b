package org.panallama.tools.convert;

import com.google.gson.JsonObject;

/** How fast the pairs of a head turn, as the papers and Transformers define it, in the spellings of versions 4 and 5. */
final class ReferenceRotation {

    private final JsonObject config;
    private final JsonObject rope;
    private final String type;
    private final double base;
    private final int headSize;

    ReferenceRotation(JsonObject config, int headSize) {
        this.config = config;
        this.headSize = headSize;
        String key = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
        rope = config.has(key) ? config.getAsJsonObject(key) : new JsonObject();
        type = rope.has("rope_type") ? rope.get("rope_type").getAsString() : "default";
        base = (rope.has("rope_theta") ? rope : config).get("rope_theta").getAsDouble();
    }

    private double number(String key) {
        return rope.get(key).getAsDouble();
    }

    /** Radians of the pair i from one token to the next. */
    double frequency(int i) {
        double plain = Math.pow(base, -2.0 * i / headSize);
        return switch (type) {
            case "linear" -> plain / number("factor");
            case "llama3" -> llama3(plain);
            case "yarn" -> yarn(i, plain);
            case "longrope" -> plain / rope.getAsJsonArray("long_factor").get(i).getAsDouble();
            default -> plain;
        };
    }

    /** By how much queries and keys grow. */
    double magnitude() {
        return switch (type) {
            case "yarn" -> 1 + 0.1 * Math.log(number("factor"));
            case "longrope" -> {
                double original = number("original_max_position_embeddings");
                double stretch = config.get("max_position_embeddings").getAsDouble() / original;
                yield Math.sqrt(1 + Math.log(stretch) / Math.log(original));
            }
            default -> 1;
        };
    }

    private double llama3(double plain) {
        double factor = number("factor");
        double low = number("low_freq_factor");
        double high = number("high_freq_factor");
        double context = number("original_max_position_embeddings");
        double wavelength = 2 * Math.PI / plain;
        if (wavelength < context / high) {
            return plain;
        }
        if (wavelength > context / low) {
            return plain / factor;
        }
        double smooth = (context / wavelength - low) / (high - low);
        return (1 - smooth) * plain / factor + smooth * plain;
    }

    /** Pairs that turn more than 32 times in the original context stay, those that turn less than once are stretched. */
    private double yarn(int i, double plain) {
        double from = Math.max(0, Math.floor(pairThatTurns(32)));
        double to = Math.min(headSize - 1.0, Math.ceil(pairThatTurns(1)));
        double stretched = Math.min(1, Math.max(0, (i - from) / (to - from)));
        return plain * (1 - stretched) + plain / number("factor") * stretched;
    }

    private double pairThatTurns(double times) {
        double context = number("original_max_position_embeddings");
        return headSize * Math.log(context / (times * 2 * Math.PI)) / (2 * Math.log(base));
    }
}
