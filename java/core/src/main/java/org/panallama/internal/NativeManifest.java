package org.panallama.internal;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.regex.Pattern;

/**
 * What a natives jar says of itself in {@code META-INF/panallama/natives/<classifier>.properties}.
 *
 * @param classifier the jar's, for example {@code linux-x86_64-cuda}
 * @param location where the manifest was found
 * @param llamaVersion llama.cpp's release
 * @param hash names this set of files
 * @param loadOrder names of the libraries to load
 * @param files everything to unpack
 */
record NativeManifest(
        String classifier, URL location, String llamaVersion, String hash, List<String> loadOrder, List<Entry> files) {

    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");
    /** Names become paths, so nothing but plain file names is let through, in the folder or in one folder of it. */
    private static final Pattern NAME = Pattern.compile("([A-Za-z0-9_][A-Za-z0-9_.+-]*/)?[A-Za-z0-9_][A-Za-z0-9_.+-]*");

    /**
     * One file of the set.
     *
     * @param name its path, with {@code /}
     * @param size bytes
     * @param sha256 lower-case hexadecimal
     */
    record Entry(String name, long size, String sha256) {}

    static String resourceOf(String classifier) {
        return "META-INF/panallama/natives/" + classifier + ".properties";
    }

    /**
     * @throws NativeLookupException if it is not a whole manifest
     */
    static NativeManifest read(String classifier, URL location) {
        Properties properties = new Properties();
        try (InputStream in = open(location)) {
            properties.load(in);
        } catch (IOException | IllegalArgumentException e) {
            throw damaged(location, e.toString());
        }
        String hash = value(properties, "hash", location);
        if (!HASH.matcher(hash).matches()) {
            throw damaged(location, "hash=" + hash);
        }
        List<Entry> files = new ArrayList<>();
        for (String file : value(properties, "files", location).split(",")) {
            String[] parts = file.split(":");
            if (parts.length != 3
                    || !NAME.matcher(parts[0]).matches()
                    || !parts[1].matches("[0-9]{1,18}")
                    || !HASH.matcher(parts[2]).matches()) {
                throw damaged(location, "file " + file);
            }
            files.add(new Entry(parts[0], Long.parseLong(parts[1]), parts[2]));
        }
        List<String> loadOrder = List.of(value(properties, "load", location).split(","));
        for (String library : loadOrder) {
            if (files.stream().noneMatch(file -> file.name().equals(library))) {
                throw damaged(location, "it has " + library + " loaded, but does not hold it");
            }
        }
        return new NativeManifest(
                classifier,
                location,
                value(properties, "llama.version", location),
                hash,
                loadOrder,
                List.copyOf(files));
    }

    /** The jar that holds the manifest, or the manifest itself where it lies in a folder; for messages. */
    String container() {
        return containerOf(location);
    }

    static String containerOf(URL location) {
        String url = location.toString();
        int inJar = url.lastIndexOf("!/");
        String outer = inJar < 0 ? url : url.substring(0, inJar).replaceFirst("^jar:", "");
        try {
            return Path.of(URI.create(outer)).toString();
        } catch (IllegalArgumentException | FileSystemNotFoundException e) {
            // A jar within a jar, or a class loader with URLs of its own.
            return outer;
        }
    }

    /** Opens one of the files; it lies in a folder named like the manifest. */
    InputStream open(Entry file) throws IOException {
        String url = location.toString();
        return open(new URL(url.substring(0, url.length() - ".properties".length()) + "/" + file.name()));
    }

    private static InputStream open(URL url) throws IOException {
        var connection = url.openConnection();
        // The shared cache of open jars would keep ours locked on Windows.
        connection.setUseCaches(false);
        return connection.getInputStream();
    }

    private static String value(Properties properties, String key, URL location) {
        String value = properties.getProperty(key, "").strip();
        if (value.isEmpty()) {
            throw damaged(location, "no " + key);
        }
        return value;
    }

    private static NativeLookupException damaged(URL location, String why) {
        return new NativeLookupException("The manifest of the natives is damaged: " + location + ": " + why
                + ". Fetch panallama-natives again; when repackaging jars, keep META-INF/panallama as it is.");
    }
}
