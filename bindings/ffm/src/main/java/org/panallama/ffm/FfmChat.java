package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.pointer;
import static org.panallama.ffm.NativeMemory.text;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.ChatCalls;

abstract class FfmChat extends FfmVocab implements ChatCalls {

    /** A function of {@code libpanallama-chat} that sets a text and returns whether it worked. */
    @FunctionalInterface
    private interface Call {
        int call(MemorySegment result) throws Throwable;
    }

    @Override
    public @Nullable String chatUnavailabilityCause() {
        return ChatFunctions.unavailabilityCause();
    }

    @Override
    public ChatTemplates chatTemplatesOpen(long model, @Nullable String source, String bos, String eos) {
        ChatFunctions chat = ChatFunctions.get();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(ValueLayout.ADDRESS);
            MemorySegment template = source == null ? MemorySegment.NULL : text(arena, source);
            MemorySegment first = text(arena, bos);
            MemorySegment last = text(arena, eos);
            String description = result(arena, result ->
                    (int) chat.templatesOpen.invokeExact(pointer(model), template, first, last, handle, result));
            return new ChatTemplates(handle.get(ValueLayout.ADDRESS, 0).address(), description);
        }
    }

    @Override
    public void chatTemplatesClose(long templates) {
        close(ChatFunctions.get().templatesClose, templates);
    }

    @Override
    public String chatApply(long templates, String request) {
        ChatFunctions chat = ChatFunctions.get();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment json = text(arena, request);
            return result(arena, result -> (int) chat.apply.invokeExact(pointer(templates), json, result));
        }
    }

    @Override
    public long chatParserOpen(String syntax) {
        ChatFunctions chat = ChatFunctions.get();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(ValueLayout.ADDRESS);
            MemorySegment json = text(arena, syntax);
            result(arena, result -> (int) chat.parserOpen.invokeExact(json, handle, result));
            return handle.get(ValueLayout.ADDRESS, 0).address();
        }
    }

    @Override
    public void chatParserClose(long parser) {
        close(ChatFunctions.get().parserClose, parser);
    }

    @Override
    public String chatParse(long parser, String text, boolean partial) {
        ChatFunctions chat = ChatFunctions.get();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = text(arena, text);
            return result(
                    arena, result -> (int) chat.parse.invokeExact(pointer(parser), answer, partial ? 1 : 0, result));
        }
    }

    @Override
    public String chatSchemaToGrammar(String schema) {
        ChatFunctions chat = ChatFunctions.get();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment json = text(arena, schema);
            return result(arena, result -> (int) chat.schemaToGrammar.invokeExact(json, result));
        }
    }

    private static void close(MethodHandle function, long handle) {
        try {
            function.invokeExact(pointer(handle));
        } catch (Throwable e) {
            throw TokenFunctions.unexpected(e);
        }
    }

    /** @throws IllegalArgumentException with the library's message, if the call did not work */
    private static String result(Arena arena, Call call) {
        MemorySegment result = arena.allocate(ValueLayout.ADDRESS);
        int status;
        String text;
        try {
            status = call.call(result);
            MemorySegment pointer = result.get(ValueLayout.ADDRESS, 0);
            text = NativeMemory.text(pointer.reinterpret(Long.MAX_VALUE));
            ChatFunctions.get().free.invokeExact(pointer);
        } catch (Throwable e) {
            throw TokenFunctions.unexpected(e);
        }
        if (status != 0) {
            throw new IllegalArgumentException(text.isEmpty() ? "no memory is left" : text);
        }
        return text;
    }
}
