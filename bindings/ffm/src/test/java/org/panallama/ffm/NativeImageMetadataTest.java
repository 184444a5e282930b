package org.panallama.ffm;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.panallama.Llama;
import org.panallama.ffm.generated.llama_h;

/**
 * GraalVM's native-image makes the code of a foreign call when it builds an image, so the metadata in this jar lists the shape
 * of every call. The list is what the binding's own descriptors say.
 */
@Tag("native")
class NativeImageMetadataTest {

    private static final String METADATA =
            "META-INF/native-image/org.panallama/panallama-ffm/reachability-metadata.json";

    private final SortedMap<String, JsonObject> reflection = new TreeMap<>();
    private final SortedMap<String, JsonObject> downcalls = new TreeMap<>();
    private final SortedMap<String, JsonObject> upcalls = new TreeMap<>();

    @BeforeAll
    static void load() {
        assertThat(Llama.unavailabilityCause()).isNull();
    }

    @Test
    void listsEveryForeignCall() throws Exception {
        collectDowncalls();
        collectUpcalls();
        // Their names are read to check that the library has every function.
        reflection(llama_h.class).addProperty("allDeclaredMethods", true);
        reflection(FfmBindingProvider.class).add("methods", array(method("<init>")));

        JsonObject foreign = new JsonObject();
        foreign.add("downcalls", array(downcalls.values()));
        foreign.add("upcalls", array(upcalls.values()));
        JsonObject metadata = new JsonObject();
        metadata.add("reflection", array(reflection.values()));
        JsonObject service = new JsonObject();
        service.addProperty("glob", "META-INF/services/org.panallama.spi.BindingProvider");
        metadata.add("resources", array(List.of(service)));
        metadata.add("foreign", foreign);
        String expected = new GsonBuilder()
                        .setPrettyPrinting()
                        .disableHtmlEscaping()
                        .create()
                        .toJson(metadata) + "\n";
        Path made = Files.writeString(Path.of("target", "reachability-metadata.json"), expected);
        assertThat(committed())
                .as("src/main/resources/%s; what it ought to be is in %s", METADATA, made)
                .isEqualTo(expected);
    }

    private void collectDowncalls() throws IllegalAccessException, ReflectiveOperationException {
        List<FunctionDescriptor> generated = new ArrayList<>();
        for (Method method : llama_h.class.getDeclaredMethods()) {
            if (method.getName().endsWith("$descriptor")) {
                generated.add((FunctionDescriptor) method.invoke(null));
            }
        }
        assertThat(generated).hasSizeGreaterThan(100);
        for (MethodHandle handle : handles(TokenFunctions.class, null)) {
            List<FunctionDescriptor> ofTheType = generated.stream()
                    .map(TokenFunctions::numbers)
                    .filter(numbers -> numbers.toMethodType().equals(handle.type()))
                    .toList();
            assertThat(ofTheType).as("%s", handle).isNotEmpty();
            ofTheType.forEach(numbers -> add(downcalls, numbers));
        }
        generated.forEach(descriptor -> add(downcalls, descriptor));
        for (MethodHandle handle : handles(ChatFunctions.class, ChatFunctions.get())) {
            add(downcalls, descriptorOf(handle.type()));
        }
    }

    private void collectUpcalls() throws IOException, ReflectiveOperationException {
        Path folder = Path.of("target", "classes", "org", "panallama", "ffm", "generated");
        List<String> names;
        try (Stream<Path> files = Files.list(folder)) {
            names = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith("$Function.class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .toList();
        }
        assertThat(names).hasSizeGreaterThanOrEqualTo(9);
        for (String name : names) {
            Class<?> function = Class.forName("org.panallama.ffm.generated." + name);
            FunctionDescriptor descriptor = (FunctionDescriptor)
                    function.getDeclaringClass().getMethod("descriptor").invoke(null);
            add(upcalls, descriptor);
            reflection(function)
                    .add(
                            "methods",
                            array(method("apply", descriptor.toMethodType().parameterArray())));
        }
    }

    private static List<MethodHandle> handles(Class<?> functions, Object of) throws IllegalAccessException {
        List<MethodHandle> handles = new ArrayList<>();
        for (Field field : functions.getDeclaredFields()) {
            if (field.getType() == MethodHandle.class && Modifier.isStatic(field.getModifiers()) == (of == null)) {
                field.setAccessible(true);
                handles.add((MethodHandle) field.get(of));
            }
        }
        assertThat(handles).isNotEmpty();
        return handles;
    }

    private static FunctionDescriptor descriptorOf(MethodType type) {
        MemoryLayout[] parameters = type.parameterList().stream()
                .map(NativeImageMetadataTest::layoutOf)
                .toArray(MemoryLayout[]::new);
        return type.returnType() == void.class
                ? FunctionDescriptor.ofVoid(parameters)
                : FunctionDescriptor.of(layoutOf(type.returnType()), parameters);
    }

    private static MemoryLayout layoutOf(Class<?> carrier) {
        if (carrier == MemorySegment.class) {
            return ValueLayout.ADDRESS;
        }
        assertThat(carrier).isEqualTo(int.class);
        return ValueLayout.JAVA_INT;
    }

    private static void add(SortedMap<String, JsonObject> calls, FunctionDescriptor descriptor) {
        JsonArray parameters = new JsonArray();
        descriptor.argumentLayouts().forEach(layout -> parameters.add(ForeignTypes.name(layout)));
        JsonObject call = new JsonObject();
        call.addProperty(
                "returnType", descriptor.returnLayout().map(ForeignTypes::name).orElse("void"));
        call.add("parameterTypes", parameters);
        calls.put(call.toString(), call);
    }

    private JsonObject reflection(Class<?> type) {
        return reflection.computeIfAbsent(type.getName(), name -> {
            JsonObject entry = new JsonObject();
            entry.addProperty("type", name);
            return entry;
        });
    }

    private static JsonObject method(String name, Class<?>... parameters) {
        JsonArray types = new JsonArray();
        Arrays.stream(parameters).map(Class::getName).forEach(types::add);
        JsonObject method = new JsonObject();
        method.addProperty("name", name);
        method.add("parameterTypes", types);
        return method;
    }

    private static JsonArray array(JsonElement element) {
        return array(List.of(element));
    }

    private static JsonArray array(Iterable<? extends JsonElement> elements) {
        JsonArray array = new JsonArray();
        elements.forEach(array::add);
        return array;
    }

    private static String committed() throws IOException {
        try (InputStream in = FfmBinding.class.getClassLoader().getResourceAsStream(METADATA)) {
            return in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
