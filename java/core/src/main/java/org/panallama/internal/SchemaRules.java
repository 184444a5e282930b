package org.panallama.internal;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What llama.cpp makes a grammar of in a JSON schema. The rest it leaves out without a word, so that an answer may break the
 * schema; here that is an error, or is dropped in the open.
 *
 * <p>The order of the cases is the one in which llama.cpp looks at a schema's keywords: it takes the first and passes over the
 * others.
 */
public final class SchemaRules {

    private static final Set<String> SILENT = Set.of(
            "title",
            "description",
            "default",
            "examples",
            "$schema",
            "$id",
            "$comment",
            "deprecated",
            "readOnly",
            "writeOnly");
    private static final Set<String> FORMATS =
            Set.of("date", "time", "date-time", "uuid", "uuid1", "uuid2", "uuid3", "uuid4", "uuid5");

    private final Map<String, @Nullable Object> root;
    private final boolean relax;
    private final Map<String, String> names = new HashMap<>(); // of the definitions, by the references to them
    private final Map<String, @Nullable Object> definitions = new LinkedHashMap<>();

    private SchemaRules(Map<String, @Nullable Object> root, boolean relax) {
        this.root = root;
        this.relax = relax;
    }

    /**
     * The schema with its patterns in the form that llama.cpp reads, and with what it refers to, wherever that stands, among the
     * definitions of its root: llama.cpp takes two for one whose names differ in anything but ASCII letters and digits.
     *
     * @param relax whether what a grammar cannot hold is dropped
     * @throws IllegalArgumentException if the schema is damaged or, unless relaxed, has what a grammar cannot hold; the message
     *     has the place and the keyword
     */
    public static Map<String, @Nullable Object> apply(Map<String, @Nullable Object> schema, boolean relax) {
        SchemaRules rules = new SchemaRules(schema, relax);
        Map<String, @Nullable Object> checked = rules.schema(schema, "#");
        if (!rules.definitions.isEmpty()) {
            checked.put("$defs", rules.definitions);
        }
        return checked;
    }

    private Map<String, @Nullable Object> schema(@Nullable Object value, String place) {
        if (Boolean.TRUE.equals(value)) {
            return new LinkedHashMap<>(); // anything
        }
        if (!(value instanceof Map<?, ?> map)) {
            throw new IllegalArgumentException(
                    place + " of the JSON schema is " + Json.write(value) + ", must be an object");
        }
        Map<String, @Nullable Object> schema = new LinkedHashMap<>(Json.asObject(map));
        schema.remove("$defs"); // what of it is referred to is checked then
        schema.remove("definitions");
        if (schema.containsKey("$ref")) {
            reference(schema, place);
        } else if (schema.containsKey("oneOf")) {
            alternatives(schema, "oneOf", place);
        } else if (schema.containsKey("anyOf")) {
            alternatives(schema, "anyOf", place);
        } else if (schema.get("type") instanceof List<?> types) {
            return anyOf(schema, types, place);
        } else if (schema.containsKey("const")) {
            keep(schema, place, "type", "const");
            typed(schema, schema.get("const"), place);
        } else if (schema.containsKey("enum")) {
            keep(schema, place, "type", "enum");
            for (Object constant : array(schema, "enum", place)) {
                typed(schema, constant, place);
            }
        } else {
            byType(schema, place);
        }
        return schema;
    }

    private void byType(Map<String, @Nullable Object> schema, String place) {
        String type = type(schema, place);
        if (schema.containsKey("allOf")) {
            allOf(schema, place);
        } else if (type.equals("object")) {
            object(schema, place);
        } else if (type.equals("array")) {
            list(schema, place);
        } else if (type.equals("string")) {
            string(schema, place);
        } else if (type.equals("integer")) {
            integer(schema, place);
        } else {
            keep(schema, place, "type");
        }
    }

    /** Told by the keywords where it is not written. */
    private String type(Map<String, @Nullable Object> schema, String place) {
        Object type = schema.get("type");
        if (type == null) {
            type = schema.containsKey("properties") || schema.containsKey("additionalProperties")
                    ? "object"
                    : schema.containsKey("items") || schema.containsKey("prefixItems")
                            ? "array"
                            : schema.containsKey("pattern") || schema.containsKey("format") ? "string" : "";
            return (String) type;
        }
        if (!(type instanceof String name)
                || !Set.of("object", "array", "string", "integer", "number", "boolean", "null")
                        .contains(name)) {
            throw new IllegalArgumentException(place + "/type of the JSON schema is " + Json.write(type)
                    + ", must be object, array, string, integer, number, boolean or null");
        }
        return name;
    }

    private void reference(Map<String, @Nullable Object> schema, String place) {
        keep(schema, place, "$ref");
        Object reference = schema.get("$ref");
        Object target = root;
        if (!(reference instanceof String path) || !(path.equals("#") || path.startsWith("#/")) || path.contains("~")) {
            refuse(
                    schema,
                    place,
                    "$ref",
                    "the reference " + Json.write(reference) + ", which is not to a place within the schema");
            return;
        }
        String[] steps = path.length() > 1 ? path.substring(2).split("/") : new String[0];
        for (String step : steps) {
            target = target instanceof Map<?, ?> map ? map.get(step) : null;
        }
        if (!(target instanceof Map<?, ?>)) {
            throw new IllegalArgumentException(
                    place + "/$ref of the JSON schema is '" + path + "', where there is no schema");
        }
        String name = names.get(path);
        if (name == null) {
            name = unused(steps.length == 0 ? "root" : steps[steps.length - 1]);
            names.put(path, name); // before it is looked at, since it may refer to itself
            definitions.put(name, Map.of());
            definitions.put(name, schema(target, path));
        }
        schema.put("$ref", "#/$defs/" + name);
    }

    /** A name that llama.cpp tells apart from those of the other definitions. */
    private String unused(String name) {
        Set<String> taken = new HashSet<>();
        definitions.keySet().forEach(other -> taken.add(plain(other)));
        String candidate = name;
        for (int number = 2; taken.contains(plain(candidate)); number++) {
            candidate = name + "-" + number;
        }
        return candidate;
    }

    /** As it stands in the name of a rule. */
    private static String plain(String name) {
        return name.replaceAll("[^a-zA-Z0-9-]+", "-");
    }

    private void alternatives(Map<String, @Nullable Object> schema, String keyword, String place) {
        keep(schema, place, keyword);
        List<@Nullable Object> checked = new ArrayList<>();
        for (Object alternative : array(schema, keyword, place)) {
            checked.add(schema(alternative, place + "/" + keyword + "/" + checked.size()));
        }
        schema.put(keyword, checked);
    }

    /** One schema for each of several types, with the keywords of that type. */
    private Map<String, @Nullable Object> anyOf(Map<String, @Nullable Object> schema, List<?> types, String place) {
        if (types.isEmpty()) {
            throw new IllegalArgumentException(place + "/type of the JSON schema is empty");
        }
        List<@Nullable Object> alternatives = new ArrayList<>();
        for (Object type : types) {
            Map<String, @Nullable Object> one = new LinkedHashMap<>(schema);
            one.put("type", type);
            if (one.get("enum") instanceof List<?> constants) {
                List<?> fitting = constants.stream()
                        .filter(constant -> isOf(constant, type))
                        .toList();
                if (fitting.isEmpty()) {
                    continue;
                }
                one.put("enum", fitting);
            }
            foreign(type).forEach(one::remove);
            alternatives.add(schema(one, place));
        }
        Map<String, @Nullable Object> union = new LinkedHashMap<>();
        union.put("anyOf", alternatives);
        return union;
    }

    /** Keywords that say nothing about values of a type. */
    private static Set<String> foreign(@Nullable Object type) {
        Set<String> all = new HashSet<>(Set.of(
                "properties",
                "required",
                "additionalProperties",
                "items",
                "prefixItems",
                "minItems",
                "maxItems",
                "pattern",
                "format",
                "minLength",
                "maxLength",
                "minimum",
                "maximum",
                "exclusiveMinimum",
                "exclusiveMaximum"));
        all.removeAll(
                switch (String.valueOf(type)) {
                    case "object" -> Set.of("properties", "required", "additionalProperties");
                    case "array" -> Set.of("items", "prefixItems", "minItems", "maxItems");
                    case "string" -> Set.of("pattern", "format", "minLength", "maxLength");
                    case "integer", "number" -> Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");
                    default -> Set.of();
                });
        return all;
    }

    private void allOf(Map<String, @Nullable Object> schema, String place) {
        keep(schema, place, "type", "allOf");
        int index = 0;
        List<@Nullable Object> checked = new ArrayList<>();
        for (Object part : array(schema, "allOf", place)) {
            String here = place + "/allOf/" + index++;
            Map<String, @Nullable Object> component = schema(part, here);
            if (!component.containsKey("$ref")
                    && !component.containsKey("properties")
                    && !component.containsKey("enum")) {
                refuse(schema, place, "allOf", "allOf with a part (" + here + ") that has no properties");
                return;
            }
            checked.add(component);
        }
        schema.put("allOf", checked);
    }

    private void object(Map<String, @Nullable Object> schema, String place) {
        keep(schema, place, "type", "properties", "required", "additionalProperties");
        Map<String, @Nullable Object> properties = new LinkedHashMap<>();
        if (schema.containsKey("properties")) {
            if (!(schema.get("properties") instanceof Map<?, ?> given)) {
                throw new IllegalArgumentException(place + "/properties of the JSON schema must be an object");
            }
            Json.asObject(given)
                    .forEach((name, property) -> properties.put(name, schema(property, place + "/properties/" + name)));
            schema.put("properties", properties);
        }
        if (schema.containsKey("required")) {
            List<@Nullable Object> known = new ArrayList<>();
            for (Object name : array(schema, "required", place)) {
                if (properties.containsKey(name)) {
                    known.add(name);
                } else {
                    refuse(
                            schema,
                            place,
                            null,
                            "the required property " + Json.write(name) + ", which is not among the properties");
                }
            }
            schema.put("required", known);
        }
        Object additional = schema.get("additionalProperties");
        if (additional instanceof Map<?, ?>) {
            schema.put("additionalProperties", schema(additional, place + "/additionalProperties"));
        } else if (additional != null && !(additional instanceof Boolean)) {
            throw new IllegalArgumentException(
                    place + "/additionalProperties of the JSON schema must be an object or a boolean");
        }
    }

    private void list(Map<String, @Nullable Object> schema, String place) {
        boolean tuple = schema.containsKey("prefixItems") || schema.get("items") instanceof List<?>;
        String items = schema.containsKey("prefixItems") ? "prefixItems" : "items";
        if (Boolean.FALSE.equals(schema.get("items")) && tuple) {
            schema.remove("items"); // a tuple has no further items anyway
        }
        if (tuple) {
            keep(schema, place, "type", items, "minItems", "maxItems");
            List<@Nullable Object> checked = new ArrayList<>();
            for (Object item : array(schema, items, place)) {
                checked.add(schema(item, place + "/" + items + "/" + checked.size()));
            }
            BigDecimal size = BigDecimal.valueOf(checked.size());
            BigDecimal least = count(schema, "minItems", place);
            BigDecimal most = count(schema, "maxItems", place);
            if (least != null && least.compareTo(size) > 0 || most != null && most.compareTo(size) < 0) {
                refuse(schema, place, null, "minItems or maxItems that differ from the number of its " + items);
            }
            schema.remove("minItems");
            schema.remove("maxItems");
            schema.put(items, checked);
            return;
        }
        if (!schema.containsKey("items") && (schema.containsKey("minItems") || schema.containsKey("maxItems"))) {
            schema.put("items", new LinkedHashMap<>()); // else llama.cpp does not count
        }
        keep(schema, place, "type", "items", "minItems", "maxItems");
        count(schema, "minItems", place);
        count(schema, "maxItems", place);
        if (schema.containsKey("items")) {
            schema.put("items", schema(schema.get("items"), place + "/items"));
        }
    }

    private void string(Map<String, @Nullable Object> schema, String place) {
        if (schema.containsKey("pattern")) {
            keep(schema, place, "type", "pattern");
            if (!(schema.get("pattern") instanceof String pattern)) {
                throw new IllegalArgumentException(place + "/pattern of the JSON schema must be a string");
            }
            try {
                schema.put("pattern", JsonPattern.rewrite(pattern));
            } catch (IllegalArgumentException e) {
                refuse(schema, place, "pattern", e.getMessage());
            }
        } else if (schema.containsKey("format")) {
            keep(schema, place, "type", "format");
            Object format = schema.get("format");
            if (!(format instanceof String name) || !FORMATS.contains(name)) {
                refuse(
                        schema,
                        place,
                        "format",
                        "the format " + Json.write(format) + " ("
                                + String.join(", ", FORMATS.stream().sorted().toList()) + " are known)");
            }
        } else {
            keep(schema, place, "type", "minLength", "maxLength");
            count(schema, "minLength", place);
            count(schema, "maxLength", place);
        }
    }

    private void integer(Map<String, @Nullable Object> schema, String place) {
        keep(schema, place, "type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");
        for (String bound : List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")) {
            Object value = schema.get(bound);
            if (value != null && !(value instanceof BigDecimal number && isLong(number))) {
                refuse(schema, place, bound, bound + " " + Json.write(value) + ", which is no 64-bit integer");
            }
        }
        for (String bound : List.of("inimum", "aximum")) {
            if (schema.containsKey("m" + bound) && schema.containsKey("exclusiveM" + bound)) {
                refuse(schema, place, "exclusiveM" + bound, "both m" + bound + " and exclusiveM" + bound);
            }
        }
    }

    private static boolean isLong(BigDecimal number) {
        try {
            number.longValueExact();
            return true;
        } catch (ArithmeticException e) {
            return false;
        }
    }

    private @Nullable BigDecimal count(Map<String, @Nullable Object> schema, String keyword, String place) {
        Object value = schema.get(keyword);
        if (value == null) {
            return null;
        }
        if (!(value instanceof BigDecimal number) || number.signum() < 0 || !isLong(number)) {
            throw new IllegalArgumentException(
                    place + "/" + keyword + " of the JSON schema is " + Json.write(value) + ", must be 0 or more");
        }
        return number;
    }

    private static List<@Nullable Object> array(Map<String, @Nullable Object> schema, String keyword, String place) {
        if (schema.get(keyword) instanceof List<?> list && (!list.isEmpty() || keyword.equals("required"))) {
            return Json.asArray(list);
        }
        throw new IllegalArgumentException(
                place + "/" + keyword + " of the JSON schema must be an array that is not empty");
    }

    private void typed(Map<String, @Nullable Object> schema, @Nullable Object constant, String place) {
        Object type = schema.get("type");
        if (type != null && !isOf(constant, type)) {
            throw new IllegalArgumentException(place + " of the JSON schema allows " + Json.write(constant)
                    + ", which is not of its type " + Json.write(type));
        }
    }

    private static boolean isOf(@Nullable Object value, @Nullable Object type) {
        return switch (String.valueOf(type)) {
            case "object" -> value instanceof Map<?, ?>;
            case "array" -> value instanceof List<?>;
            case "string" -> value instanceof String;
            case "boolean" -> value instanceof Boolean;
            case "null" -> value == null;
            case "number" -> value instanceof BigDecimal;
            case "integer" ->
                value instanceof BigDecimal number
                        && number.stripTrailingZeros().scale() <= 0;
            default -> false;
        };
    }

    /** Refuses every keyword but these and those that say nothing about a value. */
    private void keep(Map<String, @Nullable Object> schema, String place, String... keywords) {
        Set<String> kept = new HashSet<>(List.of(keywords));
        for (String keyword : List.copyOf(schema.keySet())) {
            boolean harmless = keyword.equals("uniqueItems") && Boolean.FALSE.equals(schema.get(keyword))
                    || keyword.startsWith("x-");
            if (!kept.contains(keyword) && !SILENT.contains(keyword)) {
                if (harmless) {
                    schema.remove(keyword);
                } else {
                    refuse(
                            schema,
                            place,
                            keyword,
                            "'" + keyword + "'" + (keywords.length > 0 ? beside(schema, keywords) : ""));
                }
            }
        }
    }

    private static String beside(Map<String, @Nullable Object> schema, String... keywords) {
        for (String keyword : keywords) {
            if (schema.containsKey(keyword)) {
                return " beside '" + keyword + "'";
            }
        }
        return "";
    }

    private void refuse(Map<String, @Nullable Object> schema, String place, @Nullable String keyword, String what) {
        if (!relax) {
            throw new IllegalArgumentException(
                    place + " of the JSON schema has " + what + ": a grammar cannot hold an answer to that");
        }
        if (keyword != null) {
            schema.remove(keyword);
        }
    }
}
