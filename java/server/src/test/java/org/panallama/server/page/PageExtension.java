package org.panallama.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.ColorScheme;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Hands a test a {@link ChatPage}: a fresh profile of one headless Chromium, at the page of one server, both started
 * for the first test and stopped after the last. A test fails if the browser complained: of an exception, or of
 * something that the content security policy forbids.
 */
final class PageExtension implements ParameterResolver, AfterEachCallback {

    private static final Namespace NAMESPACE = Namespace.create(PageExtension.class);

    /** Milliseconds until what does not happen is a failure; long, for machines that have other things to do. */
    private static final int PATIENCE = 180_000;

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == ChatPage.class;
    }

    @Override
    public ChatPage resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Running running = context.getRoot()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent(Running.class, type -> new Running(), Running.class);
        Profile profile = new Profile(running, parameter.findAnnotation(Device.class));
        context.getStore(NAMESPACE).put(Profile.class, profile);
        return new ChatPage(profile.page, running.server.address());
    }

    @Override
    public void afterEach(ExtensionContext context) {
        Profile profile = context.getStore(NAMESPACE).remove(Profile.class, Profile.class);
        if (profile != null) {
            profile.context.close();
            assertThat(profile.complaints).as("what the browser complained of").isEmpty();
        }
    }

    /** What all tests share. */
    private static final class Running implements AutoCloseable {

        final PageServer server = new PageServer();
        final Playwright playwright;
        final Browser browser;

        Running() {
            PlaywrightAssertions.setDefaultAssertionTimeout(PATIENCE);
            // Playwright's own jar of its driver is 200 MB; this is the same driver from npm.
            playwright = Playwright.create(new Playwright.CreateOptions()
                    .setEnv(Map.of(
                            "PLAYWRIGHT_NODEJS_PATH",
                            program("node").toString(),
                            "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD",
                            "1")));
            browser = playwright
                    .chromium()
                    .launch(new BrowserType.LaunchOptions()
                            .setTimeout(PATIENCE)
                            .setExecutablePath(program("chromium", "chromium-browser", "google-chrome"))
                            // Root and containers have no user namespaces for a sandbox, and containers little shared
                            // memory; the only site visited is ours.
                            .setArgs(List.of("--no-sandbox", "--disable-dev-shm-usage")));
        }

        private static Path program(String... names) {
            return Stream.of(names)
                    .flatMap(name -> Pattern.compile(Pattern.quote(File.pathSeparator))
                            .splitAsStream(System.getenv("PATH"))
                            .map(folder -> Path.of(folder, name)))
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException(
                            "The tests of the web page need " + String.join(" or ", names) + " on the PATH"));
        }

        @Override
        public void close() {
            playwright.close();
            server.close();
        }
    }

    /** What one test has. */
    private static final class Profile {

        final List<String> complaints = new ArrayList<>();
        final BrowserContext context;
        final Page page;

        Profile(Running running, Optional<Device> device) {
            Browser.NewContextOptions options = new Browser.NewContextOptions()
                    .setBaseURL(running.server.address().toString());
            options.setLocale(device.map(Device::locale).orElse("en-GB"));
            options.setViewportSize(
                    device.map(Device::width).orElse(1280),
                    device.map(Device::height).orElse(800));
            options.setColorScheme(device.map(Device::colors).orElse(ColorScheme.LIGHT));
            options.setHasTouch(device.map(Device::touch).orElse(false));
            context = running.browser.newContext(options);
            context.setDefaultTimeout(PATIENCE);
            page = context.newPage();
            page.onPageError(complaints::add);
            page.onConsoleMessage(message -> {
                // A refused request is logged by the browser, too; the page has its own words for it.
                if (message.type().equals("error") && !message.text().startsWith("Failed to load resource")) {
                    complaints.add(message.text());
                }
            });
        }
    }
}
