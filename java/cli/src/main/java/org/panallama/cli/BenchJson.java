package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import org.panallama.tools.BenchReport;
import org.panallama.tools.BenchResult;

/**
 * A benchmark as a JSON array, an object for each test and side: the fields that llama-bench has too carry its names.
 *
 * @param report what was measured
 */
record BenchJson(BenchReport report) implements Output.JsonBody {

    @Override
    public void write(JsonWriter json) throws IOException {
        json.beginArray();
        for (BenchResult result : report.results()) {
            json.beginObject();
            json.name("build_commit").value(report.llamaVersion());
            json.name("model_filename").value(report.model().toString());
            json.name("model_type").value(report.modelType());
            json.name("model_size").value(report.modelBytes());
            json.name("model_n_params").value(report.modelParameters());
            json.name("n_batch").value(report.batch());
            json.name("n_ubatch").value(report.microBatch());
            json.name("n_threads").value(report.threads());
            json.name("type_k").value("f16");
            json.name("type_v").value("f16");
            json.name("n_prompt").value(result.promptTokens());
            json.name("n_gen").value(result.generatedTokens());
            json.name("avg_ns").value(Math.round(result.meanNanos()));
            json.name("stddev_ns").value(Math.round(result.deviationOfNanos()));
            json.name("avg_ts").value(result.meanTokensPerSecond());
            json.name("stddev_ts").value(result.deviationOfTokensPerSecond());
            json.name("samples_ns").beginArray();
            for (long nanos : result.nanos()) {
                json.value(nanos);
            }
            json.endArray();
            json.name("samples_ts").beginArray();
            for (double tokensPerSecond : result.tokensPerSecond()) {
                json.value(tokensPerSecond);
            }
            json.endArray();
            json.name("kernels").value(result.kernels().toString());
            json.name("cpu_variant").value(result.cpuVariant());
            json.name("ratio").value(report.ratio(result));
            if (report.bandwidth(result).isPresent()) {
                json.name("bytes_per_token").value(report.bytesPerToken());
                json.name("bandwidth").value(report.bandwidth(result).getAsDouble());
            }
            if (report.multiplyAdds(result).isPresent()) {
                json.name("multiply_adds").value(report.multiplyAdds(result).getAsDouble());
            }
            if (report.share(result).isPresent()) {
                json.name("share").value(report.share(result).getAsDouble());
            }
            if (report.scratchBytes(result).isPresent()) {
                json.name("scratch_bytes").value(report.scratchBytes(result).getAsLong());
            }
            if (report.peakMultiplyAdds().isPresent()) {
                json.name("peak_multiply_adds").value(report.peakMultiplyAdds().getAsDouble());
            }
            json.name("read_bandwidth").value(report.readBandwidth());
            json.endObject();
        }
        json.endArray();
    }
}
