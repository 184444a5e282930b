package org.panallama.jna;

import com.sun.jna.Callback;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;

/** The C library, and through it the address of a function that is written in Java. */
final class CLibrary {

    private static final NativeLibrary LIBRARY =
            Platform.isWindows() ? NativeLibrary.getInstance(Platform.C_LIBRARY_NAME) : NativeLibrary.getProcess();
    private static final byte[] NOTHING = new byte[1];

    static {
        Native.register(CLibrary.class, LIBRARY);
    }

    private CLibrary() {}

    private static native long memmove(Callback to, byte[] from, long bytes);

    /** The address of one of the C library's functions. */
    static long address(String function) {
        return Pointer.nativeValue(LIBRARY.getFunction(function));
    }

    /**
     * The address of a function that calls {@code callback}, valid as long as {@code callback} is reachable.
     *
     * <p>JNA calls a callback through reflection and with its arguments in an array of objects, save where the callback is an
     * argument of a function that is mapped directly: then arguments that are primitives stay primitives. Most of
     * llama.cpp's callbacks go into structures, so here they are the argument of a function that does nothing, as it is asked
     * to move no bytes, and returns its argument.
     */
    static long pointer(Callback callback) {
        return memmove(callback, NOTHING, 0);
    }
}
