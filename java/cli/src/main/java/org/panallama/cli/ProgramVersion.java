package org.panallama.cli;

import java.util.Objects;
import org.panallama.Llama;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
final class ProgramVersion implements IVersionProvider {

    @Override
    public String[] getVersion() {
        String jdk = "JDK " + System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + ")";
        if (!Llama.isAvailable()) {
            Throwable cause = Objects.requireNonNull(Llama.unavailabilityCause());
            return new String[] {"panallama " + program(), jdk, "llama.cpp is not available: " + cause.getMessage()};
        }
        return new String[] {
            "panallama " + program(),
            "llama.cpp " + Llama.version(),
            "binding " + Llama.bindingName(),
            "CPU variant " + Llama.cpuVariant(),
            jdk
        };
    }

    /** From the jar's manifest. */
    private static String program() {
        return Objects.requireNonNullElse(Main.class.getPackage().getImplementationVersion(), "(development)");
    }
}
