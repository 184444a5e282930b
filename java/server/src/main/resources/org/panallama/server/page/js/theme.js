import { $ } from "./dom.js";
import { t } from "./i18n.js";
import { settings } from "./settings.js";

const NEXT = { auto: "light", light: "dark", dark: "auto" };
const TEXT = { auto: "themeAuto", light: "themeLight", dark: "themeDark" };

/** Follows the system's colours until the button chooses others. */
export function applyTheme() {
    const theme = settings.get("theme") ?? "auto";
    document.documentElement.dataset.theme = theme;
    $("theme").title = t("theme", t(TEXT[theme]));
    $("theme").setAttribute("aria-label", $("theme").title);
}

export function nextTheme() {
    settings.set("theme", NEXT[settings.get("theme") ?? "auto"]);
    applyTheme();
}
