package org.panallama.tiny;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CacheFoldersTest {

    private final Map<String, String> properties = new HashMap<>(
            Map.of("os.name", "Linux", "user.home", "/home/li", "user.name", "li", "java.io.tmpdir", "/tmp"));
    private final Map<String, String> environment = new HashMap<>();

    @Test
    void thePropertyComesFirst() {
        properties.put("panallama.cache.dir", "/property");
        environment.put("PANALLAMA_CACHE_DIR", "/variable");
        assertCandidates("/property");
    }

    @Test
    void thenTheVariable() {
        environment.put("PANALLAMA_CACHE_DIR", "/variable");
        environment.put("XDG_CACHE_HOME", "/xdg");
        assertCandidates("/variable");
    }

    @Test
    void onLinuxTheXdgFolder() {
        assertCandidates("/home/li/.cache/panallama");
        environment.put("XDG_CACHE_HOME", "/xdg");
        assertCandidates("/xdg/panallama");
        environment.put("XDG_CACHE_HOME", "relative");
        assertCandidates("/home/li/.cache/panallama");
    }

    @Test
    void onMacTheLibrary() {
        properties.put("os.name", "Mac OS X");
        assertCandidates("/home/li/Library/Caches/panallama");
    }

    @Test
    void onWindowsTheLocalApplicationData() {
        properties.put("os.name", "Windows 11");
        assertCandidates("/home/li/AppData/Local/panallama");
        environment.put("LOCALAPPDATA", "/local");
        assertCandidates("/local/panallama");
    }

    private void assertCandidates(String first) {
        assertThat(CacheFolders.candidates(properties::get, environment::get))
                .containsExactly(Path.of(first), Path.of("/tmp/panallama-li"));
    }
}
