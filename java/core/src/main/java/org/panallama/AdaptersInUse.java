package org.panallama;

import java.util.List;

/** The adapters that a context has set: each is freed once it is closed and no context has it set any more. */
final class AdaptersInUse {

    private List<LoraAdapter.Weights> current = List.of();

    synchronized void replace(List<LoraAdapter.Weights> chosen) {
        chosen.forEach(LoraAdapter.Weights::retain);
        current.forEach(LoraAdapter.Weights::release);
        current = List.copyOf(chosen);
    }
}
