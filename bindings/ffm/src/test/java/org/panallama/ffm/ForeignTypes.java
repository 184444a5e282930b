package org.panallama.ffm;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.UnionLayout;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Memory layouts as GraalVM's metadata writes them: by the names of JNI's types, which have one size on every platform.
 *
 * @see <a href="https://www.graalvm.org/latest/reference-manual/native-image/native-code-interoperability/ffm-api/">GraalVM's
 *     syntax for memory layouts</a>
 */
final class ForeignTypes {

    private ForeignTypes() {}

    static String name(MemoryLayout layout) {
        if (layout instanceof AddressLayout) {
            return "void*";
        } else if (layout instanceof ValueLayout value) {
            return "j" + value.carrier().getName();
        } else if (layout instanceof StructLayout struct) {
            return "struct(" + names(struct.memberLayouts()) + ")";
        } else if (layout instanceof UnionLayout union) {
            return "union(" + names(union.memberLayouts()) + ")";
        } else if (layout instanceof SequenceLayout sequence) {
            return "sequence(" + sequence.elementCount() + ", " + name(sequence.elementLayout()) + ")";
        } else if (layout instanceof PaddingLayout) {
            return "padding(" + layout.byteSize() + ")";
        }
        throw new AssertionError(layout);
    }

    private static String names(List<MemoryLayout> layouts) {
        return layouts.stream().map(ForeignTypes::name).collect(Collectors.joining(", "));
    }
}
