package org.panallama.jna;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.sun.jna.Callback;
import com.sun.jna.Structure;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * JNA looks into our classes by reflection, of which GraalVM's native-image has to know when it builds an image: the metadata in
 * this jar lists every structure, callback and class of native methods.
 */
@Tag("native")
class NativeImageMetadataTest {

    private static final String METADATA =
            "META-INF/native-image/org.panallama/panallama-jna/reachability-metadata.json";

    @Test
    void listsEveryClassThatJnaLooksInto() throws Exception {
        JsonArray reflection = new JsonArray();
        for (Class<?> type : classes()) {
            JsonObject entry = new JsonObject();
            entry.addProperty("type", type.getName());
            if (Structure.class.isAssignableFrom(type)) {
                entry.addProperty("allDeclaredConstructors", true);
                entry.addProperty("allDeclaredFields", true);
            } else if (Callback.class.isAssignableFrom(type) && type.isInterface()) {
                // JNA's native library calls it, by JNI.
                entry.addProperty("allDeclaredMethods", true);
                entry.addProperty("jniAccessible", true);
            } else if (Arrays.stream(type.getDeclaredMethods())
                    .map(Method::getModifiers)
                    .anyMatch(Modifier::isNative)) {
                entry.addProperty("allDeclaredMethods", true);
                entry.addProperty("jniAccessible", true);
            } else if (type == JnaBindingProvider.class) {
                entry.addProperty("allDeclaredConstructors", true);
            } else {
                continue;
            }
            reflection.add(entry);
        }
        assertThat(reflection).hasSizeGreaterThan(15);
        JsonObject service = new JsonObject();
        service.addProperty("glob", "META-INF/services/org.panallama.spi.BindingProvider");
        JsonArray resources = new JsonArray();
        resources.add(service);
        JsonObject metadata = new JsonObject();
        metadata.add("reflection", reflection);
        metadata.add("resources", resources);
        String expected = new GsonBuilder().setPrettyPrinting().create().toJson(metadata) + "\n";
        Path made = Files.writeString(Path.of("target", "reachability-metadata.json"), expected);
        assertThat(committed())
                .as("src/main/resources/%s; what it ought to be is in %s", METADATA, made)
                .isEqualTo(expected);
    }

    private static List<Class<?>> classes() throws Exception {
        Path folder = Path.of("target", "classes", "org", "panallama", "jna");
        try (Stream<Path> files = Files.list(folder)) {
            List<String> names = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".class") && !name.startsWith("package-"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .sorted()
                    .toList();
            List<Class<?>> classes = new ArrayList<>();
            for (String name : names) {
                classes.add(Class.forName("org.panallama.jna." + name, false, JnaBinding.class.getClassLoader()));
            }
            return classes;
        }
    }

    private static String committed() throws IOException {
        try (InputStream in = JnaBinding.class.getClassLoader().getResourceAsStream(METADATA)) {
            return in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
