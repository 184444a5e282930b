package org.panallama.spi;

/**
 * Provided by every natives jar, so that the module system resolves the jars on the module path along with
 * panallama-core. No module requires them by name, since each platform has its own.
 *
 * <p>Nobody asks for an instance: the libraries lie under {@code META-INF}, where the class path and the module path find them
 * in the same way.
 */
public interface NativesModule {}
