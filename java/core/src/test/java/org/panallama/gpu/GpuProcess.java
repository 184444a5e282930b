package org.panallama.gpu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Llama;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.ModelOptions;
import org.panallama.Sampler;
import org.panallama.internal.ChildJvm;

/** A JVM of its own, since drivers are looked for once in the life of a process, by its environment. */
final class GpuProcess {

    private static final String QUESTION = "[INST] 法国的英文名是什么？ [/INST]";

    private GpuProcess() {}

    /** Starts one, and returns all that it prints: the log, the layers on each device, and the answer or an error. */
    static String run(Map<String, String> environment, String... args) throws IOException, InterruptedException {
        List<String> command = ChildJvm.command(
                GpuProcess.class,
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-Dfile.encoding=UTF-8",
                "-Dstdout.encoding=UTF-8");
        command.addAll(Arrays.asList(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        return status == 0 ? output : output + "\nexit status " + status;
    }

    /** Arguments: {@code layers=N}, {@code length=N}, {@code split=A,B}, {@code batch=N}, {@code lora=FILE}. */
    public static void main(String[] args) {
        ModelOptions.Builder options = ModelOptions.builder();
        ContextOptions.Builder context = TinyOnGpu.context();
        Path lora = null;
        for (String arg : args) {
            String value = arg.substring(arg.indexOf('=') + 1);
            switch (arg.substring(0, arg.indexOf('='))) {
                case "layers" -> options.gpuLayers(Integer.parseInt(value));
                case "length" -> context.length(Integer.parseInt(value));
                case "batch" -> context.batch(Integer.parseInt(value)).microBatch(Integer.parseInt(value));
                case "lora" -> lora = Path.of(value);
                case "split" -> {
                    String[] shares = value.split(",");
                    options.tensorSplit(Float.parseFloat(shares[0]), Float.parseFloat(shares[1]));
                }
                default -> throw new IllegalArgumentException(arg);
            }
        }
        System.out.println("devices: "
                + Llama.devices().stream().map(device -> device.name()).toList());
        try (Model model = TinyOnGpu.load(options);
                Context opened = model.newContext(context.build());
                Sampler greedy = Sampler.greedy()) {
            System.out.println("placement: "
                    + model.placement().shares().stream()
                            .map(share -> share.device().name() + " " + share.layers())
                            .collect(Collectors.joining(", ", "[", "]")));
            if (lora != null) {
                opened.setLora(Map.of(model.loadLora(lora), 0.5f));
            }
            System.out.println("answer:" + opened.generate(QUESTION, greedy).text());
        } catch (LlamaException | IllegalArgumentException e) {
            System.out.println("error: " + e.getMessage());
        }
    }
}
