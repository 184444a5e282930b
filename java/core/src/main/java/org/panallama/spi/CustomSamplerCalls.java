package org.panallama.spi;

/** The Java side of a custom sampler. Called on the thread that samples; must not throw. */
public interface CustomSamplerCalls {

    String name();

    void accept(int token);

    /** {@code candidates} takes the {@code candidates…} calls of {@link SamplerCalls}, and is valid during this call only. */
    void apply(long candidates);

    void reset();

    CustomSamplerCalls copy();

    /** The native sampler is gone. */
    void freed();
}
