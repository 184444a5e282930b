package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufFile;
import org.panallama.tiny.TinyModel;

/** The commands quantize and imatrix, which go together. */
class QuantizeCommandTest {

    private static final String TEXT = "法国的英文名是什么？ 床前明月光，疑是地上霜。举头望明月，低头思故乡。 ".repeat(10);

    @TempDir
    private Path folder;

    @Test
    void quantizesAndGenerates() {
        Path file = folder.resolve("tiny.gguf");
        Result result = Result.of("quantize", "--type", "q8_0", "-o", file.toString(), "--threads", "2");
        assertThat(result.err()).contains("wrote " + file, "bits per weight");
        assertThat(result.status()).isZero();
        assertThat(result.out()).isEmpty();
        Result answer = Result.of("generate", "-m", file.toString(), "-p", Result.FRANCE, "--temp", "0");
        assertThat(answer.out()).contains("France");
    }

    @Test
    void aDryRunShowsEachTensor() throws IOException {
        Result result = Result.of(
                "quantize",
                "--type",
                "Q4_K",
                "--dry-run",
                "--tensor-type",
                "ffn_down=Q6_K",
                "--output-tensor-type",
                "Q8_0",
                "--prune-layers",
                "3,4");
        assertThat(result.status()).isZero();
        assertThat(result.out())
                .containsPattern("blk\\.0\\.ffn_down_exps\\.weight .* F16 +-> Q6_K ")
                .containsPattern("output\\.weight .* -> Q8_0 ")
                .containsPattern("blk\\.0\\.attn_norm\\.weight .* F32 +-> F32 ")
                .containsPattern("Q4_K_M: .* bits per weight\\), from .* \\(16\\.0\\d\\)");
        assertThat(result.out().lines())
                .hasSize(GgufFile.open(TinyModel.path()).tensors().size() - 2 * 10 + 1);
    }

    @Test
    void anImatrixIsCollectedAndUsed() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), TEXT);
        Path matrix = folder.resolve("imatrix.gguf");
        String[] collect = {
            "imatrix", "-f", text.toString(), "-o", matrix.toString(), "-c", "32", "--chunks", "1", "-t", "1"
        };
        Result collected = Result.of(collect);
        assertThat(collected.status()).isZero();
        assertThat(collected.out().lines()).hasSize(6).first().asString().matches("layer 0:( \\d+){8}");
        assertThat(collected.err()).contains("wrote " + matrix, "1 chunks of 32 tokens");

        Result more = Result.of(
                "imatrix", "-f", text.toString(), "-o", matrix.toString(), "-c", "32", "--chunks", "1", "--resume");
        assertThat(more.err()).contains("2 chunks of 32 tokens");

        Path both = folder.resolve("both.gguf");
        Result combined = Result.of(
                "imatrix", "--in-file", matrix.toString(), "--in-file", matrix.toString(), "-o", both.toString());
        assertThat(combined.err()).contains("4 chunks of 32 tokens");

        Path file = folder.resolve("tiny.gguf");
        Result quantized = Result.of(
                "quantize",
                "--type",
                "Q4_0",
                "--imatrix",
                both.toString(),
                "--tensor-type",
                "attn_q=IQ2_XXS",
                "--override-kv",
                "general.name=str:smaller",
                "-o",
                file.toString());
        assertThat(quantized.err()).contains("wrote " + file);
        GgufFile written = GgufFile.open(file);
        assertThat(written.string("general.name")).contains("smaller");
        assertThat(written.string("quantize.imatrix.file")).contains("both.gguf");
        assertThat(written.tensor("blk.0.attn_q.weight").orElseThrow().ggmlType())
                .isEqualTo(GgmlType.IQ2_XXS);
    }

    /** A slip of the keyboard shall not cost a model, a text, or the importance that took hours. */
    @Test
    void whatIsReadIsNeverWrittenOver() throws IOException {
        String model =
                Files.copy(TinyModel.path(), folder.resolve("model.gguf")).toString();
        String text = Files.writeString(folder.resolve("text.txt"), TEXT).toString();
        String matrix = folder.resolve("imatrix.gguf").toString();
        Result.of("imatrix", "-f", text, "-o", matrix, "-c", "32", "--chunks", "1", "-t", "1");
        String[][] commands = {
            {"imatrix", "-m", model, "-f", text, "-c", "32", "-o", model},
            {"imatrix", "-m", model, "-f", text, "-c", "32", "-o", text},
            {"quantize", "-m", model, "--type", "Q4_0", "--imatrix", matrix, "-o", matrix},
            {"quantize", "-m", model, "--type", "Q4_0", "--tensor-type-file", text, "-o", text},
            {"perplexity", "-m", model, "-f", text, "-c", "32", "--save-logits", model},
            {"perplexity", "-m", model, "-f", text, "-c", "32", "--save-logits", text},
            {"synth", "--shape", "llama-3-8b", "--layers", "1", "--tokenizer", model, "-o", model},
        };
        for (String[] command : commands) {
            Path output = Path.of(command[command.length - 1]);
            byte[] before = Files.readAllBytes(output);
            Result result = Result.of(command);
            assertThat(result.status()).as(String.join(" ", command)).isEqualTo(1);
            assertThat(result.err())
                    .contains("Cannot write " + output + ": it is one of the files that are read for it");
            assertThat(output).hasBinaryContent(before);
        }
    }

    @Test
    void badUseIsExplained() throws IOException {
        assertUsage("'Q4_L' is not a file type", "quantize", "--type", "Q4_L", "--dry-run");
        assertUsage("-o is missing", "quantize", "--type", "Q8_0");
        assertUsage("must be REGEX=TYPE", "quantize", "--type", "Q8_0", "--dry-run", "--tensor-type", "attn");
        assertUsage("not a tensor type", "quantize", "--type", "Q8_0", "--dry-run", "--tensor-type", "attn=Q9");
        assertUsage("KEY=TYPE:VALUE", "quantize", "--type", "Q8_0", "--dry-run", "--override-kv", "a=1");
        assertUsage("is not a number", "quantize", "--type", "Q8_0", "--dry-run", "--override-kv", "a=int:x");
        assertUsage("-f is missing", "imatrix", "-o", folder.resolve("x").toString());
        Result refused = Result.of(
                "quantize", "--type", "IQ1_S", "-o", folder.resolve("x.gguf").toString());
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains("IQ1_S", "make an importance matrix");
        Path damaged = Files.writeString(folder.resolve("damaged"), "GGUF and nothing else");
        Result unread = Result.of("quantize", "--type", "Q4_0", "--imatrix", damaged.toString(), "--dry-run");
        assertThat(unread.status()).isEqualTo(1);
        assertThat(unread.err()).contains("importance matrix", damaged.toString());
    }

    private static void assertUsage(String message, String... args) {
        Result result = Result.of(args);
        assertThat(result.status()).as(result.err()).isEqualTo(2);
        assertThat(result.err()).contains(message);
    }
}
