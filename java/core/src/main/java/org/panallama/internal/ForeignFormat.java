package org.panallama.internal;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Tells what a file that is not GGUF probably is, from its first bytes. */
final class ForeignFormat {
    /** How many bytes {@link #describe} can make use of. */
    static final int PREFIX_BYTES = 256;

    private ForeignFormat() {}

    /** Returns a description with the way out, to follow "not a GGUF file: ". */
    static String describe(byte[] prefix) {
        String text = new String(prefix, StandardCharsets.ISO_8859_1);
        String lower = text.stripLeading().toLowerCase(Locale.ROOT);
        if (text.startsWith("version https://git-lfs")) {
            return "this is a Git LFS pointer, the model itself was not downloaded; "
                    + "run 'git lfs pull' in its directory";
        }
        if (lower.startsWith("<!doctype html") || lower.startsWith("<html")) {
            return "this is a web page, probably an error or login page saved by a download; "
                    + "download the model's file again";
        }
        if (text.startsWith("tjgg") || text.startsWith("fmgg") || text.startsWith("lmgg") || text.startsWith("algg")) {
            return "this is a GGML file ('" + new StringBuilder(text.substring(0, 4)).reverse()
                    + "') from before August 2023; get or convert the model as GGUF";
        }
        if (text.startsWith("PK\003\004")) {
            return "this is a ZIP archive, perhaps a PyTorch checkpoint; "
                    + "unpack it, or convert the checkpoint with convert_hf_to_gguf.py";
        }
        if (text.length() >= 2 && text.charAt(0) == 0x80 && text.charAt(1) >= 2 && text.charAt(1) <= 5) {
            return "this is a Python pickle, probably a PyTorch checkpoint; convert it with convert_hf_to_gguf.py";
        }
        if (text.length() > 9 && text.startsWith("{\"", 8)) {
            return "this is a safetensors file; convert the model with convert_hf_to_gguf.py";
        }
        if (text.startsWith("\u001f\u008b") || text.startsWith("(\u00b5/\u00fd") || text.startsWith("\u00fd7zXZ")) {
            return "this is a compressed file; decompress it first";
        }
        if (text.startsWith("FUGG")) {
            return "its magic is reversed, as written by a big-endian program; convert the model for little-endian";
        }
        if (lower.startsWith("{") || lower.startsWith("[")) {
            return "this looks like JSON text; the model is a file named *.gguf";
        }
        if (text.chars().allMatch(c -> c == 0)) {
            return "it begins with zeros, perhaps because a download did not finish; download it again";
        }
        StringBuilder hex = new StringBuilder();
        for (int i = 0; i < Math.min(4, prefix.length); i++) {
            hex.append(i == 0 ? "" : " ").append(String.format(Locale.ROOT, "%02x", prefix[i]));
        }
        return "it begins with the bytes " + hex + " instead of 47 47 55 46 (\"GGUF\")";
    }
}
