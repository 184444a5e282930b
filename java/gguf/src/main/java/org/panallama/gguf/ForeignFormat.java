package org.panallama.gguf;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** Tells what a file that is not GGUF probably is, from its first bytes. */
final class ForeignFormat {

    /** How many bytes {@link #describe} can make use of. */
    static final int PREFIX_BYTES = 256;

    private static final List<String> COMPRESSED = List.of("\u001f\u008b", "(\u00b5/\u00fd", "\u00fd7zXZ", "BZh");

    private ForeignFormat() {}

    /** Returns a description with the way out, to follow "not a GGUF file: ". */
    static String describe(byte[] prefix) {
        String text = new String(prefix, StandardCharsets.ISO_8859_1);
        String lower = text.stripLeading().toLowerCase(Locale.ROOT);
        if (text.startsWith("version https://git-lfs")) {
            return "a Git LFS pointer; the model itself was not downloaded, 'git lfs pull' in its directory gets it";
        }
        if (lower.startsWith("<!doctype html") || lower.startsWith("<html")) {
            return "a web page, as a download saves it when a login is needed; download the file again";
        }
        if (List.of("lmgg", "fmgg", "tjgg", "algg").contains(text.substring(0, Math.min(4, text.length())))) {
            return "a GGML file from before August 2023; get the model as GGUF";
        }
        if (text.startsWith("PK\003\004")) {
            return "a ZIP archive, perhaps a PyTorch checkpoint; unpack it, or convert the checkpoint";
        }
        if (text.length() > 1 && text.charAt(0) == 0x80 && text.charAt(1) >= 2 && text.charAt(1) <= 5) {
            return "a Python pickle, probably a PyTorch checkpoint; convert it";
        }
        if (text.startsWith("{\"", Long.BYTES)) {
            return "a safetensors file; convert the model";
        }
        if (COMPRESSED.stream().anyMatch(text::startsWith)) {
            return "a compressed file; decompress it first";
        }
        if (lower.startsWith("{") || lower.startsWith("[")) {
            return "it looks like JSON text";
        }
        if (text.chars().allMatch(c -> c == 0)) {
            return "it begins with zeros, perhaps because a download did not finish; download it again";
        }
        return "it begins with the bytes "
                + HexFormat.ofDelimiter(" ").formatHex(prefix, 0, Math.min(4, prefix.length))
                + " instead of 47 47 55 46 (\"GGUF\")";
    }
}
