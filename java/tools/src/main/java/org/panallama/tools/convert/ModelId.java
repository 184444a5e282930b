package org.panallama.tools.convert;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a model's id tells: {@code mistralai/Mixtral-8x7B-Instruct-v0.1} is version v0.1 of Mixtral, of the size 8x7B, made to
 * follow instructions. Ids are read as llama.cpp's converter reads them; what an id does not tell is null.
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

    private static final Pattern VERSION = pattern("(v|iter)?\\d+(\\.\\d+)*+");
    private static final Pattern ENCODING = pattern("i?q\\d(_\\w)*+|b?fp?(16|32)");
    private static final Pattern TUNED = pattern("chat|instruct|vision|lora");
    private static final Pattern SIZE_WORD = pattern("small|mini|medium|large|x?xl");
    private static final Pattern SIZE =
            pattern("(?<of>a|\\d+x)?(?<number>\\d+([._]\\d+)?)(?<unit>[kmbt])(?<decimal>\\d)?");

    private enum Kind {
        UNKNOWN,
        BASE,
        VERSION,
        SIZE,
        FINETUNE,
        IGNORED
    }

    private static final class Part {

        private String text;
        private Kind kind = Kind.UNKNOWN;

        Part(String text) {
            this.text = text;
        }

        boolean hasDigit() {
            return text.chars().anyMatch(Character::isDigit);
        }
    }

    /**
     * @param id {@code name} or {@code organization/name}
     * @param parameters of the model: 128k is no size of one with seven billion
     */
    static ModelId of(String id, long parameters) {
        int slash = id.indexOf('/');
        String name = id.substring(slash + 1);
        String organization = slash > 0 && id.charAt(0) != '.' ? id.substring(0, slash) : null;
        if (id.indexOf(' ') >= 0) {
            return new ModelId(id, null, null, null, null, null); // a title, not an id
        }
        List<Part> parts = new ArrayList<>();
        for (String text : name.split("-")) {
            if (!text.isEmpty()) {
                Part part = new Part(text);
                classify(part, parts.isEmpty(), parameters);
                parts.add(part);
            }
        }
        preferNumbers(parts);
        findBase(parts);
        String finetune = joined(parts, Kind.FINETUNE);
        String version = joined(parts, Kind.VERSION);
        String size = joined(parts, Kind.SIZE);
        boolean ambiguous = finetune == null && version == null && size == null;
        return new ModelId(name, organization, ambiguous ? null : joined(parts, Kind.BASE), finetune, version, size);
    }

    private static void classify(Part part, boolean first, long parameters) {
        if (VERSION.matcher(part.text).matches()) {
            part.kind = Kind.VERSION;
        } else if (ENCODING.matcher(part.text).matches()) {
            part.kind = Kind.IGNORED;
        } else if (!first && SIZE_WORD.matcher(part.text).matches()) {
            part.kind = Kind.SIZE;
        } else if (!first && TUNED.matcher(part.text).matches()) {
            part.kind = Kind.FINETUNE;
        } else if (!first) {
            Matcher size = SIZE.matcher(part.text);
            if (size.matches()) {
                classifySize(part, size, parameters);
            }
        }
    }

    private static void classifySize(Part part, Matcher size, long parameters) {
        String of = size.group("of") == null ? "" : size.group("of");
        String number = size.group("number").replace('_', '.');
        if (size.group("decimal") != null) {
            number += "." + size.group("decimal"); // bloom-7b1 has 7.1 billion
        }
        String unit = size.group("unit").toUpperCase(Locale.ROOT);
        part.kind = Kind.SIZE;
        if (of.isEmpty() && number.matches("\\d+(\\.\\d+)?")) {
            double stated = Double.parseDouble(number) * Math.pow(1000, " KMBT".indexOf(unit));
            if (Math.abs(stated - parameters) > 7.0 / 8 * parameters) {
                part.kind = Kind.FINETUNE; // most likely a context's length
                unit = unit.toLowerCase(Locale.ROOT);
            }
        }
        part.text = of + number + unit;
    }

    /** Words say little about a size beside a number. */
    private static void preferNumbers(List<Part> parts) {
        if (parts.stream().anyMatch(part -> part.kind == Kind.SIZE && part.hasDigit())) {
            parts.stream()
                    .filter(part -> part.kind == Kind.SIZE && !part.hasDigit())
                    .forEach(part -> part.kind = Kind.UNKNOWN);
        }
    }

    /** What a name begins with is the base, versions within it, too; unknown words behind it say how it was tuned. */
    private static void findBase(List<Part> parts) {
        int end = 0;
        while (end < parts.size() && mayBeOfBase(parts.get(end))) {
            end++;
        }
        int base = end;
        while (end == parts.size() && base > 0 && parts.get(base - 1).kind == Kind.VERSION) {
            base--; // a version that ends the whole name is not part of it
        }
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            if (i < base) {
                part.kind = Kind.BASE;
            } else if (part.kind == Kind.UNKNOWN) {
                part.kind = Kind.FINETUNE;
            }
        }
    }

    private static boolean mayBeOfBase(Part part) {
        return part.kind == Kind.VERSION || part.kind == Kind.UNKNOWN && Character.isLetter(part.text.charAt(0));
    }

    private static @Nullable String joined(List<Part> parts, Kind kind) {
        Stream<String> texts = parts.stream().filter(part -> part.kind == kind).map(part -> part.text);
        String text = (kind == Kind.SIZE ? texts.distinct() : texts).collect(Collectors.joining("-"));
        return text.isEmpty() ? null : text;
    }

    private static Pattern pattern(String expression) {
        return Pattern.compile(expression, Pattern.CASE_INSENSITIVE);
    }
}
