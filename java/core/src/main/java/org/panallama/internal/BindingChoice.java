package org.panallama.internal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.BindingProvider;

/**
 * The bindings on the class path, and which of them this JVM may use: the one that the user names, else every one that can
 * run here, the preferred one first.
 */
final class BindingChoice {

    static final Setting BINDING = new Setting("panallama.binding", "PANALLAMA_BINDING");

    /** The bindings that there are, and the first Java release that each runs on. */
    private static final Map<String, Integer> KNOWN = new LinkedHashMap<>();

    static {
        KNOWN.put("ffm", 22);
        KNOWN.put("jna", 17);
    }

    private final int java;
    private final List<BindingProvider> usable = new ArrayList<>();

    /** Why others cannot be used, by their names. */
    private final Map<String, String> unusable = new LinkedHashMap<>();

    /** What was said where a provider's class did not load. A binding compiled for a newer JDK than this one is among them. */
    private final List<String> unloadable = new ArrayList<>();

    /**
     * @param providers what {@link java.util.ServiceLoader} finds
     * @param java this JVM's release, for example 17
     */
    BindingChoice(Iterable<BindingProvider> providers, int java) {
        this.java = java;
        Iterator<BindingProvider> found = providers.iterator();
        while (true) {
            try {
                if (!found.hasNext()) {
                    break;
                }
                BindingProvider provider = found.next();
                String cause = provider.unavailabilityCause();
                if (cause == null) {
                    usable.add(provider);
                } else {
                    unusable.put(provider.name(), cause);
                }
            } catch (ServiceConfigurationError | LinkageError e) {
                unloadable.add(String.valueOf(e.getMessage()));
            }
        }
        usable.sort(Comparator.comparingInt(BindingProvider::priority).reversed());
    }

    /**
     * Those to try, one after the other.
     *
     * @param wanted the name that the user gives, or {@code null}
     * @throws NativeLookupException if there is none; the message says what is missing of each
     */
    List<BindingProvider> choose(Setting.@Nullable Value wanted) {
        if (wanted != null) {
            return List.of(named(wanted));
        }
        if (usable.isEmpty()) {
            throw new NativeLookupException("No binding to llama.cpp can be used in this Java " + java + " JVM:"
                    + KNOWN.keySet().stream()
                            .map(name -> "\n  " + name + ": " + problem(name))
                            .reduce("", String::concat)
                    + "\nAdd the dependency org.panallama:panallama, which brings all that they need.");
        }
        return usable;
    }

    private BindingProvider named(Setting.Value wanted) {
        String name = wanted.value();
        for (BindingProvider provider : usable) {
            if (provider.name().equals(name)) {
                return provider;
            }
        }
        if (!KNOWN.containsKey(name) && !unusable.containsKey(name)) {
            throw new NativeLookupException(wanted.source() + ": there is no such binding. Name ffm (needs JDK 22 or"
                    + " newer) or jna (JDK 17 or newer), or neither to have the one taken that serves this JVM best.");
        }
        throw new NativeLookupException(wanted.source() + ": this binding cannot be used in this Java " + java
                + " JVM: " + problem(name)
                + (usable.isEmpty()
                        ? "."
                        : ". Without that setting, " + usable.get(0).name() + " is taken, which can."));
    }

    private String problem(String name) {
        String cause = unusable.get(name);
        if (cause != null) {
            return cause;
        }
        int since = KNOWN.getOrDefault(name, 0);
        if (java < since) {
            return "it needs JDK " + since + " or newer";
        }
        return "panallama-" + name + " is not on the class path"
                + (unloadable.isEmpty() ? "" : ", or does not load (" + String.join("; ", unloadable) + ")");
    }
}
