package org.panallama.server;

import java.security.SecureRandom;

/** Names of answers and calls. */
final class Ids {

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

    private Ids() {}

    /** The prefix and 24 random letters and digits. */
    static String create(String prefix) {
        StringBuilder id = new StringBuilder(prefix);
        for (int i = 0; i < 24; i++) {
            id.append(LETTERS.charAt(RANDOM.nextInt(LETTERS.length())));
        }
        return id.toString();
    }
}
