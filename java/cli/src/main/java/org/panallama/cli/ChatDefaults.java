package org.panallama.cli;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The sampling that Chinese-Mixtral-Instruct's authors recommend for chat. */
final class ChatDefaults implements IDefaultValueProvider {

    private static final Map<String, String> VALUES = Map.of(
            "--temperature", "0.2",
            "--repeat-penalty", "1.1",
            "--top-k", "40",
            "--top-p", "0.9",
            "--min-p", "0");

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        return argument instanceof OptionSpec option ? VALUES.get(option.longestName()) : null;
    }
}
