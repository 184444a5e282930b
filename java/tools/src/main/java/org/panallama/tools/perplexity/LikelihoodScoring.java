package org.panallama.tools.perplexity;

import java.io.IOException;
import org.panallama.LlamaException;

/** The likelihood of each token that came. */
class LikelihoodScoring implements RowScoring {

    private final Moments nll = new Moments();

    @Override
    public void score(LogitRow row) {
        row.normalize();
    }

    @Override
    public void collect(LogitRow row) throws IOException {
        if (Double.isNaN(row.nll())) {
            throw new LlamaException("the model's logits are not numbers (NaN) from predicted token " + nll.count()
                    + " on: its file is damaged, or was quantized with a damaged imatrix");
        }
        nll.add(row.nll());
    }

    final Moments nll() {
        return nll;
    }
}
