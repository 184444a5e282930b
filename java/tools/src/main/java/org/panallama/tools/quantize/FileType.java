package org.panallama.tools.quantize;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.panallama.TensorType;

/**
 * What llama.cpp v0.4.0 quantizes models to: a main format, and for most a mixture of others for the tensors that need more.
 * Names are those of {@code llama-quantize}.
 */
public enum FileType {
    /** 32-bit floating point. */
    F32(0, TensorType.F32),
    /** 16-bit floating point with the range of 32 bits. */
    BF16(32, TensorType.BF16),
    /** 16-bit floating point. */
    F16(1, TensorType.F16),
    /** 8 bits, hardly to be told from the original. */
    Q8_0(7, TensorType.Q8_0),
    /** 6 bits. */
    Q6_K(18, TensorType.Q6_K),
    /** 5 bits, the more important tensors 6. */
    Q5_K_M(17, TensorType.Q5_K),
    /** 5 bits. */
    Q5_K_S(16, TensorType.Q5_K),
    /** 5 bits with a minimum per block, of the older kind. */
    Q5_1(9, TensorType.Q5_1),
    /** 5 bits, of the older kind. */
    Q5_0(8, TensorType.Q5_0),
    /** 4 bits, the more important tensors up to 6: what most people use. */
    Q4_K_M(15, TensorType.Q4_K),
    /** 4 bits, the first layers 5. */
    Q4_K_S(14, TensorType.Q4_K),
    /** 4 bits with a minimum per block, of the older kind. */
    Q4_1(3, TensorType.Q4_1),
    /** 4 bits, of the older kind. */
    Q4_0(2, TensorType.Q4_0),
    /** 4 bits, unevenly spaced. */
    IQ4_NL(25, TensorType.IQ4_NL),
    /** 4 bits, unevenly spaced, with smaller scales. */
    IQ4_XS(30, TensorType.IQ4_XS),
    /** The experts in 4-bit floating point, the rest in 8 bits. */
    MXFP4_MOE(38, TensorType.MXFP4),
    /** 3 bits, the more important tensors 5. */
    Q3_K_L(13, TensorType.Q3_K),
    /** 3 bits, the more important tensors 4 and 5. */
    Q3_K_M(12, TensorType.Q3_K),
    /** 3 bits. */
    Q3_K_S(11, TensorType.Q3_K),
    /** 3.66 bits by a codebook, with a mixture. */
    IQ3_M(27, TensorType.IQ3_S),
    /** 3.44 bits by a codebook. */
    IQ3_S(26, TensorType.IQ3_S),
    /** 3.3 bits by codebooks. */
    IQ3_XS(22, TensorType.IQ3_S),
    /** 3.06 bits by a codebook; needs an importance matrix. */
    IQ3_XXS(23, TensorType.IQ3_XXS),
    /** 2 bits, the more important tensors 3 and 4. */
    Q2_K(10, TensorType.Q2_K),
    /** 2 bits; needs an importance matrix. */
    Q2_K_S(21, TensorType.Q2_K),
    /** 2.7 bits by a codebook; needs an importance matrix. */
    IQ2_M(29, TensorType.IQ2_S),
    /** 2.5 bits by a codebook; needs an importance matrix. */
    IQ2_S(28, TensorType.IQ2_XS),
    /** 2.31 bits by a codebook; needs an importance matrix. */
    IQ2_XS(20, TensorType.IQ2_XS),
    /** 2.06 bits by a codebook; needs an importance matrix. */
    IQ2_XXS(19, TensorType.IQ2_XXS),
    /** 1.75 bits by a codebook; needs an importance matrix. */
    IQ1_M(31, TensorType.IQ1_M),
    /** 1.56 bits by a codebook; needs an importance matrix. */
    IQ1_S(24, TensorType.IQ1_S),
    /** 2.06 bits for models that were trained with ternary weights. */
    TQ2_0(37, TensorType.TQ2_0),
    /** 1.69 bits for models that were trained with ternary weights. */
    TQ1_0(36, TensorType.TQ1_0),
    /** 2.25 bits for models that were trained with 2-bit weights. */
    Q2_0(41, TensorType.Q2_0),
    /** 1.125 bits for models that were trained with 1-bit weights. */
    Q1_0(40, TensorType.Q1_0),
    /** Every tensor as it is: for changing metadata, joining parts, leaving out layers. */
    COPY(0, TensorType.F32);

    private static final Map<String, FileType> ALIASES =
            Map.of("Q3_K", Q3_K_M, "Q4_K", Q4_K_M, "Q5_K", Q5_K_M, "MXFP4", MXFP4_MOE);

    private final int code;
    private final TensorType mainType;

    FileType(int code, TensorType mainType) {
        this.code = code;
        this.mainType = mainType;
    }

    /**
     * The type of a name, in upper or lower case. {@code Q3_K}, {@code Q4_K} and {@code Q5_K} stand for the mixtures with
     * {@code _M}.
     *
     * @throws IllegalArgumentException if there is none; the message lists all
     */
    public static FileType of(String name) {
        String upper = name.toUpperCase(Locale.ROOT).replace('-', '_');
        FileType alias = ALIASES.get(upper);
        if (alias != null) {
            return alias;
        }
        return Arrays.stream(values())
                .filter(type -> type.name().equals(upper))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + name + "' is not a file type; there are "
                        + Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "))));
    }

    /** The number in llama.cpp and in {@code general.file_type}. */
    int code() {
        return code;
    }

    /** The format of most tensors; of {@link #COPY}, it has no meaning. */
    public TensorType mainType() {
        return mainType;
    }
}
