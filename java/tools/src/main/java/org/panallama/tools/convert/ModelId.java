package org.panallama.tools.convert;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a model's id tells by the convention for names of GGUF models, base-size-tuning-version-encoding:
 * {@code mistralai/Mixtral-8x7B-Instruct-v0.1} is version v0.1 of Mixtral, of the size 8x7B, made to follow instructions. What
 * an id does not tell is null.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#gguf-naming-convention">the convention</a>
 */
record ModelId(
        String name,
        @Nullable String organization,
        @Nullable String basename,
        @Nullable String finetune,
        @Nullable String version,
        @Nullable String sizeLabel) {

    /** A name is a folder's: longer ones are none, and would take long to match. */
    private static final int LONGEST = 255;

    /** 7B, 8x7B, and of what is active A3B; thousands (128k) count the tokens of a context. */
    private static final String SIZE = "(\\d+x|a)?\\d+(\\.\\d+)?[mbt]";

    private static final String END = "(-(?<version>v?\\d+(\\.\\d+)*))?(-(b?f|fp)(16|32)|-i?q\\d\\w*)?";

    private static final Pattern SIZED =
            pattern("(?<base>\\p{L}.*?)-(?<size>" + SIZE + "(-" + SIZE + ")*)(-(?<tuning>.+?))??" + END);

    /** Nothing separates the base from the tuning but the words that are common for it. */
    private static final Pattern UNSIZED = pattern("(?<base>\\p{L}.*?)(-(?<tuning>(instruct|chat)(-.+?)?))?" + END);

    /** @param id {@code name} or {@code organization/name} */
    static ModelId of(String id) {
        int slash = id.indexOf('/');
        String name = id.substring(slash + 1);
        String organization = slash > 0 && id.charAt(0) != '.' ? id.substring(0, slash) : null;
        if (name.length() <= LONGEST && name.indexOf(' ') < 0) {
            Matcher sized = SIZED.matcher(name);
            if (sized.matches()) {
                String size = sized.group("size").toUpperCase(Locale.ROOT).replace('X', 'x');
                return new ModelId(
                        name, organization, sized.group("base"), sized.group("tuning"), sized.group("version"), size);
            }
            Matcher unsized = UNSIZED.matcher(name);
            if (unsized.matches() && (unsized.group("tuning") != null || unsized.group("version") != null)) {
                return new ModelId(
                        name,
                        organization,
                        unsized.group("base"),
                        unsized.group("tuning"),
                        unsized.group("version"),
                        null);
            }
        }
        return new ModelId(name, organization, null, null, null, null);
    }

    private static Pattern pattern(String expression) {
        return Pattern.compile(expression, Pattern.CASE_INSENSITIVE);
    }
}
