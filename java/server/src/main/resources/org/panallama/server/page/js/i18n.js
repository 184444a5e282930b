import { settings } from "./settings.js";
import { STRINGS } from "./strings.js";

/** The language in use: "en" or "zh". */
export function language() {
    return settings.get("language") ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
}

/** The text of that name in the language in use. */
export function t(name, ...values) {
    const text = STRINGS[name][language() === "zh" ? 1 : 0];
    return text.replace(/\{(\d)\}/g, (_, index) => values[index]);
}

/** Numbers as the language writes them. */
export function number(value, digits = 0) {
    return value.toLocaleString(language() === "zh" ? "zh-CN" : "en", { maximumFractionDigits: digits });
}

/** Fills in the texts of the elements that name one: data-t as text, data-t-title, -label and -placeholder beside it. */
export function translate(root = document) {
    document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
    for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
    for (const element of root.querySelectorAll("[data-t-title]")) {
        element.title = t(element.dataset.tTitle);
        element.setAttribute("aria-label", element.title);
    }
    for (const element of root.querySelectorAll("[data-t-label]")) {
        element.setAttribute("aria-label", t(element.dataset.tLabel));
    }
    for (const element of root.querySelectorAll("[data-t-placeholder]")) {
        element.placeholder = t(element.dataset.tPlaceholder);
    }
}
