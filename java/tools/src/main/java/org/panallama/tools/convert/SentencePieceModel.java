package org.panallama.tools.convert;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.panallama.gguf.internal.WholeFile;

/**
 * A model file of SentencePiece, for instance {@code tokenizer.model}.
 *
 * @see <a href="https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto">its definition</a>
 */
final class SentencePieceModel {

    private static final int UNIGRAM = 1;

    record Piece(String text, float score, Vocabulary.Type type) {}

    private final List<Piece> pieces = new ArrayList<>();
    private int algorithm = UNIGRAM;
    private byte[] charsmap = {};
    private boolean dummyPrefix = true;
    private boolean removesExtraWhitespace = true;

    private SentencePieceModel() {}

    static SentencePieceModel read(Path file) {
        SentencePieceModel model = new SentencePieceModel();
        try {
            model.parse(new ProtobufReader(ByteBuffer.wrap(WholeFile.bytes(file))));
        } catch (IOException | IllegalArgumentException e) {
            throw new ConversionException(file + " is no SentencePiece model: " + e.getMessage(), e);
        }
        if (model.pieces.isEmpty()) {
            throw new ConversionException(file + " is no SentencePiece model: it has no pieces");
        }
        return model;
    }

    private void parse(ProtobufReader message) {
        for (int field = message.next(); field != 0; field = message.next()) {
            switch (field) {
                case 1 -> pieces.add(piece(new ProtobufReader(message.bytes())));
                case 2 -> parseTrainer(new ProtobufReader(message.bytes()));
                case 3 -> parseNormalizer(new ProtobufReader(message.bytes()));
                default -> message.skip();
            }
        }
    }

    private static Piece piece(ProtobufReader message) {
        String text = "";
        float score = 0;
        int type = 1;
        for (int field = message.next(); field != 0; field = message.next()) {
            switch (field) {
                case 1 -> text = message.text();
                case 2 -> score = message.float32();
                case 3 -> type = (int) message.integer();
                default -> message.skip();
            }
        }
        Vocabulary.Type[] types = Vocabulary.Type.values(); // the same numbers
        if (type < 1 || type > types.length) {
            throw new IllegalArgumentException("the piece '" + text + "' is of type " + type);
        }
        return new Piece(text, score, types[type - 1]);
    }

    private void parseTrainer(ProtobufReader message) {
        for (int field = message.next(); field != 0; field = message.next()) {
            if (field == 3) {
                algorithm = (int) message.integer();
            } else {
                message.skip();
            }
        }
    }

    private void parseNormalizer(ProtobufReader message) {
        for (int field = message.next(); field != 0; field = message.next()) {
            switch (field) {
                case 2 -> {
                    ByteBuffer bytes = message.bytes();
                    charsmap = new byte[bytes.remaining()];
                    bytes.get(charsmap);
                }
                case 3 -> dummyPrefix = message.integer() != 0;
                case 4 -> removesExtraWhitespace = message.integer() != 0;
                default -> message.skip();
            }
        }
    }

    List<Piece> pieces() {
        return pieces;
    }

    /** Whether it picks the most probable segmentation, instead of merging pairs. */
    boolean unigram() {
        return algorithm == UNIGRAM;
    }

    /** How characters are normalized, in SentencePiece's own encoding; empty if they are not. */
    byte[] charsmap() {
        return charsmap.clone();
    }

    boolean dummyPrefix() {
        return dummyPrefix;
    }

    boolean removesExtraWhitespace() {
        return removesExtraWhitespace;
    }
}
