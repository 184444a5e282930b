package org.panallama.server.page;

import com.microsoft.playwright.options.ColorScheme;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What the page is looked at with. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.PARAMETER)
@interface Device {

    String locale() default "en-GB";

    int width() default 1280;

    int height() default 800;

    boolean touch() default false;

    ColorScheme colors() default ColorScheme.LIGHT;
}
