package org.panallama;

import java.util.function.Consumer;
import org.panallama.spi.Binding;
import org.panallama.spi.CustomSamplerCalls;

/** Calls a custom sampler from native code: keeps its exceptions out of there, and llama.cpp's assertions satisfied. */
final class CustomCalls implements CustomSamplerCalls {

    private final Binding binding;
    private final CustomSampler sampler;
    private final boolean selects;
    private final Consumer<RuntimeException> failed;

    /**
     * @param selects whether the sampler has to choose a token
     * @param failed receives what the sampler throws
     */
    CustomCalls(Binding binding, CustomSampler sampler, boolean selects, Consumer<RuntimeException> failed) {
        this.binding = binding;
        this.sampler = sampler;
        this.selects = selects;
        this.failed = failed;
    }

    @Override
    public String name() {
        return "java";
    }

    @Override
    public void accept(int token) {
        guard(() -> sampler.accept(token));
    }

    @Override
    public void apply(long candidates) {
        guard(() -> {
            sampler.apply(new Candidates(binding, candidates));
            if (selects && !hasSelected(candidates)) {
                throw new IllegalStateException("the selector " + sampler + " chose no token");
            }
        });
        if (selects && !hasSelected(candidates)) {
            binding.candidatesSetSelected(candidates, 0); // llama.cpp insists; the failure is thrown afterwards
        }
    }

    /** A selected candidate may have been cut off afterwards. */
    private boolean hasSelected(long candidates) {
        long selected = binding.candidatesSelected(candidates);
        return selected >= 0 && selected < binding.candidatesSize(candidates);
    }

    @Override
    public void reset() {
        guard(sampler::reset);
    }

    @Override
    public CustomSamplerCalls copy() {
        try {
            return new CustomCalls(binding, sampler.copy(), selects, failed);
        } catch (RuntimeException e) {
            failed.accept(e);
            return this;
        }
    }

    @Override
    public void freed() {}

    private void guard(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            failed.accept(e);
        }
    }
}
