package org.panallama.gguf.internal;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Says why a file could not be written. */
public final class WriteFailure {

    /** Less room than this is none: what is to be written next may take more. */
    private static final long FULL = 1 << 20;

    private static final String BEGINNING = "cannot write ";

    private WriteFailure() {}

    /** What to throw on; asked for while the file is still there, since it is what fills the disk. */
    public static IOException of(Path target, IOException e) {
        String why = String.valueOf(e.getMessage());
        if (why.startsWith(BEGINNING)) {
            return e;
        }
        if (e instanceof AccessDeniedException denied) {
            why = denied.getFile() + " may not be written to";
        } else if (isFull(target)) {
            why = "the disk is full; free some room or choose another (" + why + ")";
        } else if (e instanceof FileSystemException || e.getMessage() == null) {
            why = e.toString(); // the message is a path alone
        }
        return new IOException(BEGINNING + target + ": " + why, e);
    }

    /** Whether the disk has no room left worth speaking of; false where the system does not tell. */
    public static boolean isFull(Path target) {
        try {
            Path folder = target.toAbsolutePath().getParent();
            return folder != null && Files.getFileStore(folder).getUsableSpace() < FULL;
        } catch (IOException e) {
            return false;
        }
    }
}
