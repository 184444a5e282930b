package org.panallama.tools.imatrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.Llama;
import org.panallama.Model;
import org.panallama.TensorType;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.Progress;
import org.panallama.tools.quantize.FileType;
import org.panallama.tools.quantize.QuantizeOptions;
import org.panallama.tools.quantize.Quantizer;

/** Our kernels replace nodes of the graph while it computes; what an observer sees of it must be the same without them. */
class KernelsImatrixTest {

    @TempDir
    private Path folder;

    /** The process with other kernels: llama.cpp loads one CPU variant for the life of a process. */
    static final class Collection {

        private Collection() {}

        /** Arguments: the model and the file to write. Says which CPU variant it used. */
        public static void main(String[] args) {
            try (Model model = Model.load(Path.of(args[0]))) {
                ImatrixCollector.builder(model)
                        .chunkSize(64)
                        .maxChunks(2)
                        .threads(1)
                        .saveTo(Path.of(args[1]), 10)
                        .build()
                        .collect(ImatrixCollectorTest.TEXT, Progress.NONE);
            }
            System.out.println(Llama.cpuVariant());
        }
    }

    @Test
    void theMatrixIsTheSameWithOurKernels() throws Exception {
        Path model = folder.resolve("tiny.gguf");
        new Quantizer(QuantizeOptions.builder(FileType.Q8_0)
                        .threads(2)
                        .outputType(TensorType.Q8_0)
                        .build())
                .quantize(TinyModel.path(), model, Progress.NONE);
        Path stock = folder.resolve("stock.gguf");
        Path ours = folder.resolve("ours.gguf");
        assertThat(collect(model, stock, "PANALLAMA_KERNELS", "off")).isNotEqualTo("panallama");
        assertThat(collect(model, ours, "PANALLAMA_FORCE_ISA", "generic")).isEqualTo("panallama");
        Imatrix expected = Imatrix.read(stock);
        Imatrix actual = Imatrix.read(ours);
        assertThat(actual.tensors().keySet()).isEqualTo(expected.tensors().keySet());
        actual.tensors().forEach((name, activations) -> {
            TensorActivations other = expected.tensors().get(name);
            // A token may be sent to another expert where the router is undecided.
            double moved = IntStream.range(0, activations.counts().length)
                    .mapToLong(i -> Math.abs(activations.counts()[i] - other.counts()[i]))
                    .sum();
            assertThat(moved).as(name).isLessThanOrEqualTo(6);
            assertThat(sum(activations) / sum(other)).as(name).isCloseTo(1, within(0.02));
        });
    }

    private static double sum(TensorActivations activations) {
        double sum = 0;
        for (float square : activations.squares()) {
            sum += square;
        }
        return sum;
    }

    private static String collect(Path model, Path target, String variable, String value)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx512m"));
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("panallama."))
                .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                Collection.class.getName(),
                model.toString(),
                target.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().remove("PANALLAMA_KERNELS");
        builder.environment().remove("PANALLAMA_FORCE_ISA");
        builder.environment().put(variable, value);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes()).strip();
        assertThat(process.waitFor()).isZero();
        return output;
    }
}
