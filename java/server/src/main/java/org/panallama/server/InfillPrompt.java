package org.panallama.server;

import java.util.List;
import org.panallama.Vocab;
import org.panallama.internal.TokenHistory;

/** Writes prompts for text between two others, with the tokens that a model was trained for that with. */
final class InfillPrompt {

    private final Vocab vocab;

    private InfillPrompt(Vocab vocab) {
        this.vocab = vocab;
    }

    /**
     * @param param the field that asks for it
     * @throws ApiException if the model has no such tokens
     */
    static InfillPrompt of(Vocab vocab, String param) {
        if (vocab.infillPrefix() == Vocab.NO_TOKEN
                || vocab.infillSuffix() == Vocab.NO_TOKEN
                || vocab.infillMiddle() == Vocab.NO_TOKEN) {
            throw ApiException.unsupported(param, "the model was not trained to fill gaps: it has no tokens for that");
        }
        return new InfillPrompt(vocab);
    }

    /** Another file of the same project. */
    record Extra(String name, String text) {}

    int[] tokens(String prefix, String suffix, List<Extra> extras) {
        TokenHistory tokens = new TokenHistory();
        if (vocab.addsBos() && vocab.bos() != Vocab.NO_TOKEN) {
            tokens.append(vocab.bos());
        }
        if (!extras.isEmpty()) {
            if (vocab.infillRepository() != Vocab.NO_TOKEN) {
                tokens.append(vocab.infillRepository());
                append(tokens, "project\n");
            }
            for (Extra extra : extras) {
                if (vocab.infillFileSeparator() != Vocab.NO_TOKEN) {
                    tokens.append(vocab.infillFileSeparator());
                    append(tokens, extra.name + "\n");
                } else {
                    append(tokens, "\n\n--- " + extra.name + " ---\n\n");
                }
                append(tokens, extra.text);
            }
            if (vocab.infillFileSeparator() != Vocab.NO_TOKEN) {
                tokens.append(vocab.infillFileSeparator());
                append(tokens, "main\n");
            }
        }
        tokens.append(vocab.infillPrefix());
        append(tokens, prefix);
        tokens.append(vocab.infillSuffix());
        append(tokens, suffix);
        tokens.append(vocab.infillMiddle());
        return tokens.toArray();
    }

    private void append(TokenHistory tokens, String text) {
        int[] more = vocab.tokenize(text, false, false);
        tokens.append(more, 0, more.length);
    }
}
