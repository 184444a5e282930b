package org.panallama.cli;

import java.io.IOException;
import org.jline.terminal.spi.SystemStream;
import org.jline.terminal.spi.TerminalProvider;

/** Whether the process talks to a person. */
final class Terminals {

    private Terminals() {}

    /** Whether a stream of the process is a terminal. Not cheap: asked only where the answer changes something. */
    static boolean isTerminal(SystemStream stream) {
        for (String provider : new String[] {"ffm", "exec"}) {
            try {
                return TerminalProvider.load(provider).isSystemStream(stream);
            } catch (IOException | LinkageError e) {
                // The next one; FFM needs JDK 22.
            }
        }
        return false;
    }
}
