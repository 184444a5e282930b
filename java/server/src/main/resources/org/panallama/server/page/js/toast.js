import { $, el, iconButton } from "./dom.js";
import { t } from "./i18n.js";

const SECONDS = 6;

/** Shows a line for a while, errors until dismissed; `label` and `run` make a button of it. */
export function toast(text, { label, run, isError = false } = {}) {
    const act = () => {
        box.remove();
        run();
    };
    const box = el(
        "div",
        { class: isError ? "toast error" : "toast", role: isError ? "alert" : "status" },
        el("span", {}, text),
        label && el("button", { type: "button", onclick: act }, label),
        iconButton("close", t("dismiss"), () => box.remove()),
    );
    $("toasts").append(box);
    if (!isError) setTimeout(() => box.remove(), SECONDS * 1000);
}
