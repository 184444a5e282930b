package org.panallama.internal;

import java.util.Arrays;

/** The elements of a rule that is being parsed, the last item of which may be repeated. */
final class GrammarBody {

    private final GrammarSymbols symbols;
    private int[] elements = new int[8];
    private int size;
    private long weight;
    private int itemStart;
    private long itemWeight; // before the item
    private long itemRules; // as llama.cpp counts them for its limit

    GrammarBody(GrammarSymbols symbols) {
        this.symbols = symbols;
    }

    void beginItem() {
        beginItem(1);
    }

    /** @param rules that the item consists of */
    void beginItem(int rules) {
        itemStart = size;
        itemWeight = weight;
        itemRules = rules;
    }

    /** @param memory that llama.cpp takes for it, in elements of its own */
    void add(int element, int memory) {
        if (size == elements.length) {
            elements = Arrays.copyOf(elements, size * 2);
        }
        elements[size++] = element;
        weight += memory;
        symbols.use(memory);
    }

    void addAll(int[] more) {
        if (elements.length - size < more.length) {
            elements = Arrays.copyOf(elements, (size + more.length) * 2);
        }
        System.arraycopy(more, 0, elements, size, more.length);
        size += more.length;
    }

    boolean itemIsEmpty() {
        return itemStart == size;
    }

    int[] item() {
        return Arrays.copyOfRange(elements, itemStart, size);
    }

    /** Counts the rules after a repetition; returns whether they stay below the limit. */
    boolean multiply(long times, int limit) {
        itemRules *= times;
        return itemRules < limit;
    }

    /** Makes sure that the item can be written so often; returns whether that much memory is granted. */
    boolean reserve(long copies) {
        return symbols.use((weight - itemWeight) * copies);
    }

    /** Has the item so often instead of once; 0 removes it. */
    void repeatItem(int times) {
        int[] item = item();
        long weightOfItem = weight - itemWeight;
        size = itemStart;
        for (int i = 0; i < times; i++) {
            addAll(item);
        }
        weight = itemWeight + weightOfItem * times;
    }

    int[] toArray() {
        return Arrays.copyOf(elements, size);
    }
}
