/** A small trained model on the class path, for a first try and for tests. */
package org.panallama.tiny;
