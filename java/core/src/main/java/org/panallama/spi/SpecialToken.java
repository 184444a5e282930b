package org.panallama.spi;

/** The roles that a vocabulary gives to single tokens. */
public enum SpecialToken {
    BOS,
    EOS,
    EOT,
    SEP,
    NEWLINE,
    PAD,
    MASK,
    FIM_PREFIX,
    FIM_SUFFIX,
    FIM_MIDDLE,
    FIM_PAD,
    FIM_REPOSITORY,
    FIM_SEPARATOR
}
