package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.oracle.svm.configure.ConfigurationTool;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** GraalVM's own program reads the metadata in the jars, without anything unknown and without anything lost. */
class NativeImageMetadataTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {"panallama-core", "panallama-ffm", "panallama-jna", "panallama-model-tiny", "panallama-server"})
    void isUnderstood(String artifact) throws Exception {
        String metadata = metadata(artifact);
        assertThat(counts(read(metadata))).isEqualTo(counts(metadata));
    }

    @Test
    void aMistakeIsSeen() throws Exception {
        String metadata = metadata("panallama-ffm").replaceFirst("returnType", "returnTypo");
        assertThatThrownBy(() -> read(metadata)).hasMessageContaining("Missing attribute(s) [returnType]");
    }

    private String read(String metadata) throws Exception {
        Path in = Files.createDirectories(folder.resolve("in"));
        Path out = Files.createDirectories(folder.resolve("out"));
        Files.writeString(in.resolve("reachability-metadata.json"), metadata);
        // It ends its JVM where it finds a mistake.
        Process tool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        ConfigurationTool.class.getName(),
                        "generate",
                        "--input-dir=" + in,
                        "--output-dir=" + out)
                .redirectErrorStream(true)
                .start();
        String output = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(tool.waitFor()).as(output).isZero();
        return Files.readString(out.resolve("reachability-metadata.json"));
    }

    private static String metadata(String artifact) throws Exception {
        String resource = "META-INF/native-image/org.panallama/" + artifact + "/reachability-metadata.json";
        try (InputStream in = LlamaServer.class.getClassLoader().getResourceAsStream(resource)) {
            assertThat(in).as(resource).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** How many entries there are of each kind. */
    private static Map<String, Integer> counts(String metadata) {
        Map<String, Integer> counts = new TreeMap<>();
        JsonObject root = JsonParser.parseString(metadata).getAsJsonObject();
        JsonObject foreign = root.has("foreign") ? root.remove("foreign").getAsJsonObject() : new JsonObject();
        root.asMap()
                .forEach((kind, list) -> counts.put(kind, list.getAsJsonArray().size()));
        foreign.asMap()
                .forEach((kind, list) -> counts.put(kind, list.getAsJsonArray().size()));
        return counts;
    }
}
