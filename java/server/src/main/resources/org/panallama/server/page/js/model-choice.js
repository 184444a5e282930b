// Which of the server's models answers.

import { inWords, models } from "./api.js";
import { $, el } from "./dom.js";
import { t } from "./i18n.js";
import { settings } from "./settings.js";
import { toast } from "./toast.js";

/** Fills the list from the server; a model that is gone is replaced by the first one. */
export async function refreshModels() {
    const select = $("model");
    try {
        const names = await models();
        const chosen = names.includes(settings.get("model")) ? settings.get("model") : names[0];
        select.replaceChildren(
            ...names.map((name) => el("option", { value: name, selected: name === chosen }, name)),
            ...(names.length ? [] : [el("option", {}, t("noModel"))]),
        );
        select.disabled = names.length === 0;
        settings.set("model", chosen);
    } catch (error) {
        select.replaceChildren(el("option", {}, t("noModel")));
        select.disabled = true;
        toast(inWords(error), { isError: true, label: t("retry"), run: refreshModels });
    }
}

export function listenForModels() {
    $("model").addEventListener("change", () => settings.set("model", $("model").value));
}
