package org.panallama.kernels;

import java.nio.file.Path;
import org.panallama.TensorType;
import org.panallama.internal.GgufFile;
import org.panallama.internal.NativeRuntime;
import org.panallama.spi.QuantizeParams;
import org.panallama.tiny.TinyModel;

/**
 * The tiny model in each format that our kernels take and llama.cpp makes without an importance matrix. IQ2_XS and IQ2_XXS
 * need one, and IQ3_XXS does but for the output matrix: random weights in these are left to the native tests. Two of the
 * mixtures that people use are here too, since their tensors differ in format within a layer.
 */
enum QuantizedModel {
    BF16(32, TensorType.BF16),
    Q8_0(7, TensorType.Q8_0),
    Q6_K(18, TensorType.Q6_K),
    Q5_K(16, TensorType.Q5_K),
    Q5_0(8, TensorType.Q5_0),
    Q4_K(14, TensorType.Q4_K),
    Q4_0(2, TensorType.Q4_0),
    Q3_K(11, TensorType.Q3_K),
    Q2_K(10, TensorType.Q2_K),
    IQ4_XS(30, TensorType.IQ4_XS),
    IQ4_NL(25, TensorType.IQ4_NL),
    MXFP4(38, TensorType.MXFP4),
    Q8_0_WITH_IQ3_XXS_OUTPUT(7, true, TensorType.IQ3_XXS.id(), TensorType.Q8_0),
    Q4_K_M(15, false, -1, TensorType.Q4_K),
    Q3_K_M(12, false, -1, TensorType.Q3_K);

    private final int fileType;
    private final boolean pure;
    private final int outputType;
    private final TensorType experts;

    QuantizedModel(int fileType, TensorType experts) {
        this(fileType, true, -1, experts);
    }

    QuantizedModel(int fileType, boolean pure, int outputType, TensorType experts) {
        this.fileType = fileType;
        this.pure = pure;
        this.outputType = outputType;
        this.experts = experts;
    }

    /** Writes the model into a folder, with one thread, and makes sure that it is in the format that it is named after. */
    Path write(Path folder) {
        Path file = folder.resolve(name() + ".gguf");
        QuantizeParams params = new QuantizeParams(fileType, 1, outputType, -1, false, true, false, pure);
        quantize(TinyModel.path(), file, params);
        boolean asNamed = GgufFile.read(file).tensors().stream().allMatch(tensor -> switch (tensor.name()) {
            case "blk.3.ffn_gate_exps.weight" -> tensor.type() == experts;
            case "output.weight" -> outputType < 0 || tensor.type().id() == outputType;
            default -> true;
        });
        if (!asNamed) {
            throw new AssertionError("the tensors of " + file + " are not in the formats that were asked for");
        }
        return file;
    }

    /** Writes a model with its weights as 32-bit floats, which hold the values of every format exactly. */
    static void widen(Path model, Path file) {
        quantize(model, file, new QuantizeParams(0, 1, -1, -1, true, true, false, true));
    }

    private static void quantize(Path input, Path output, QuantizeParams params) {
        if (NativeRuntime.get().binding().modelQuantize(input.toString(), output.toString(), params) != 0) {
            throw new AssertionError("llama.cpp does not write " + output);
        }
    }
}
