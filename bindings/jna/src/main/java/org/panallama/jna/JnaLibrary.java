package org.panallama.jna;

import com.sun.jna.Native;

/** JNA's own native library, which it unpacks from its jar to a temporary folder and loads on first use. */
final class JnaLibrary {

    private JnaLibrary() {}

    /** @throws UnsatisfiedLinkError if it does not load; the message has the way out */
    static void load() {
        try {
            Class.forName(Native.class.getName(), true, JnaLibrary.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
            throw failed(e);
        } catch (Error e) {
            if (e instanceof VirtualMachineError) {
                throw e;
            }
            // What JNA throws where it loaded the native library of another version.
            throw failed(e);
        }
    }

    private static UnsatisfiedLinkError failed(Throwable thrown) {
        Throwable reason =
                thrown instanceof ExceptionInInitializerError && thrown.getCause() != null ? thrown.getCause() : thrown;
        // JDK 24 has IllegalCallerException for native access that is not allowed, JDK 17 the class without that use.
        UnsatisfiedLinkError error =
                new UnsatisfiedLinkError(reason instanceof IllegalCallerException ? NO_ACCESS : NOT_LOADED + reason);
        error.initCause(thrown);
        return error;
    }

    private static final String NO_ACCESS = "this JVM forbids native access, which JNA needs: start it with"
            + " --enable-native-access=ALL-UNNAMED (or the name of JNA's module, com.sun.jna)";

    private static final String NOT_LOADED =
            "JNA's own native library does not load. JNA unpacks it to a temporary folder;"
                    + " where that allows no execution (mounted noexec) or no writing, choose another folder with"
                    + " -Djna.tmpdir=DIR. Where another version's library is found, take it off java.library.path and"
                    + " -Djna.boot.library.path. JNA says: ";
}
