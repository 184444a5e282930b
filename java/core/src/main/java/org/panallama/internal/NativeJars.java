package org.panallama.internal;

import java.io.IOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The natives jars on the class path, and which of them this JVM uses: the one asked for, else one with a GPU backend, which
 * holds the CPU's as well, else the CPU's.
 */
final class NativeJars {

    static final Setting CLASSIFIER = new Setting("panallama.native.classifier", "PANALLAMA_NATIVE_CLASSIFIER");

    private static final Logger LOG = LoggerFactory.getLogger(NativeJars.class);

    private final ClassLoader classes;
    private final Platform platform;

    NativeJars(ClassLoader classes, Platform platform) {
        this.classes = classes;
        this.platform = platform;
    }

    /**
     * The jar to use where the user names none.
     *
     * @param tried the places looked at before, one a line, for the message
     * @throws NativeLookupException if there is none for this platform, or jars do not belong together
     */
    NativeManifest choose(String tried) {
        Map<String, NativeManifest> usable = ofThisPlatform();
        if (usable.isEmpty()) {
            throw none(tried);
        }
        NativeManifest chosen = usable.values().iterator().next();
        if (usable.size() > 1) {
            LOG.info(
                    "Natives {} are used, and {} are not; -D{}=CLASSIFIER chooses",
                    describe(chosen),
                    usable.values().stream().skip(1).map(NativeJars::describe).collect(Collectors.joining(", ")),
                    CLASSIFIER.property());
        }
        return chosen;
    }

    /**
     * The jar that the user names.
     *
     * @param setting how it was named, for messages
     * @throws NativeLookupException if it is not there, or jars do not belong together
     */
    NativeManifest named(String classifier, String setting) {
        if (!platform.classifiers().contains(classifier)) {
            throw new NativeLookupException(setting + ": this JVM runs on " + platform.name() + ", whose natives are "
                    + String.join(", ", platform.classifiers()) + ".");
        }
        Map<String, NativeManifest> usable = ofThisPlatform();
        NativeManifest named = usable.get(classifier);
        if (named == null) {
            throw new NativeLookupException(setting + " asks for natives that are not on the class path; there are "
                    + (usable.isEmpty() ? "none for this platform" : "those for " + String.join(", ", usable.keySet()))
                    + ". Add the dependency org.panallama:panallama-natives with the classifier " + classifier + ".");
        }
        return named;
    }

    /** By classifier, the preferred one first. */
    private Map<String, NativeManifest> ofThisPlatform() {
        Map<String, NativeManifest> usable = new LinkedHashMap<>();
        NativeManifest first = null;
        for (String classifier : platform.classifiers()) {
            for (NativeManifest manifest : manifests(classifier)) {
                NativeManifest same = usable.putIfAbsent(classifier, manifest);
                first = first == null ? manifest : first;
                if (same != null && !same.hash().equals(manifest.hash())) {
                    throw different("Different natives for " + classifier, same, manifest);
                }
                if (!first.llamaVersion().equals(manifest.llamaVersion())) {
                    throw different("Natives of different releases", first, manifest);
                }
            }
        }
        return usable;
    }

    private static NativeLookupException different(String what, NativeManifest one, NativeManifest other) {
        return new NativeLookupException(what + " are on the class path:\n  " + describe(one) + "\n  " + describe(other)
                + "\nLeave those of the version of panallama-core.");
    }

    private static String describe(NativeManifest manifest) {
        return manifest.classifier() + " in " + manifest.container() + " (llama.cpp " + manifest.llamaVersion() + ")";
    }

    private NativeLookupException none(String tried) {
        List<String> foreign = new ArrayList<>();
        for (String classifier : Platform.CLASSIFIERS) {
            for (URL location : locations(NativeManifest.resourceOf(classifier))) {
                foreign.add("  class path: " + classifier + " in " + NativeManifest.containerOf(location)
                        + ", which is for another platform");
            }
        }
        if (foreign.isEmpty()) {
            foreign.add("  class path: no " + NativeManifest.resourceOf(platform.name()));
        }
        return new NativeLookupException("llama.cpp's libraries for " + platform.name() + " were not found. Tried:\n"
                + tried + String.join("\n", foreign)
                + "\nAdd the dependency org.panallama:panallama, which brings them, or org.panallama:panallama-natives"
                + " with the classifier " + platform.classifiersInWords() + "; or name a folder that holds them with -D"
                + NativeLocator.FOLDER.property() + "=DIR.");
    }

    private List<NativeManifest> manifests(String classifier) {
        return locations(NativeManifest.resourceOf(classifier)).stream()
                .map(location -> NativeManifest.read(classifier, location))
                .toList();
    }

    private List<URL> locations(String resource) {
        try {
            return Collections.list(classes.getResources(resource));
        } catch (IOException e) {
            throw new NativeLookupException("The class path cannot be searched for " + resource + ": " + e);
        }
    }
}
