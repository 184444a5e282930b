package org.panallama.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * The functions of {@code libpanallama-chat}, which is opened on first use. Written by hand: there are nine, and llama.cpp's
 * libraries, whose functions are generated, are complete without it.
 */
final class ChatFunctions {

    private static final String LIBRARY = System.mapLibraryName("panallama-chat");

    final MethodHandle free;
    final MethodHandle templatesOpen;
    final MethodHandle templatesClose;
    final MethodHandle apply;
    final MethodHandle parserOpen;
    final MethodHandle parserClose;
    final MethodHandle parse;
    final MethodHandle schemaToGrammar;

    private ChatFunctions(SymbolLookup library) {
        free = handle(library, "free", FunctionDescriptor.ofVoid(ADDRESS));
        templatesOpen = handle(library, "templates_open", status(ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
        templatesClose = handle(library, "templates_close", FunctionDescriptor.ofVoid(ADDRESS));
        apply = handle(library, "apply", status(ADDRESS, ADDRESS, ADDRESS));
        parserOpen = handle(library, "parser_open", status(ADDRESS, ADDRESS, ADDRESS));
        parserClose = handle(library, "parser_close", FunctionDescriptor.ofVoid(ADDRESS));
        parse = handle(library, "parse", status(ADDRESS, ADDRESS, JAVA_INT, ADDRESS));
        schemaToGrammar = handle(library, "schema_to_grammar", status(ADDRESS, ADDRESS));
    }

    /** Holds the outcome of the one attempt to open the library. */
    private static final class Holder {
        static final @Nullable ChatFunctions FUNCTIONS;
        static final @Nullable String CAUSE;

        static {
            ChatFunctions functions = null;
            String cause = null;
            try {
                functions = new ChatFunctions(LlamaLibraries.loaded().openBeside(LIBRARY));
            } catch (IllegalArgumentException | UnsatisfiedLinkError e) {
                cause = LIBRARY + " does not load: " + e.getMessage();
            }
            FUNCTIONS = functions;
            CAUSE = cause;
        }
    }

    /** Why there are no functions, or {@code null} if there are. */
    static @Nullable String unavailabilityCause() {
        return Holder.CAUSE;
    }

    /** @throws IllegalStateException if the library is not there */
    static ChatFunctions get() {
        ChatFunctions functions = Holder.FUNCTIONS;
        if (functions == null) {
            throw new IllegalStateException(Holder.CAUSE);
        }
        return functions;
    }

    private static FunctionDescriptor status(MemoryLayout... arguments) {
        return FunctionDescriptor.of(JAVA_INT, arguments);
    }

    private static MethodHandle handle(SymbolLookup library, String name, FunctionDescriptor descriptor) {
        String function = "panallama_chat_" + name;
        return Linker.nativeLinker()
                .downcallHandle(
                        library.find(function)
                                .orElseThrow(() -> new UnsatisfiedLinkError("it has no function " + function)),
                        descriptor);
    }
}
