// The settings at the side: system message, sampling, adapters, access.

import { $, el } from "./dom.js";
import { number, t } from "./i18n.js";
import { adapterChoices, refreshAdapters } from "./lora.js";
import { NUMBERS, setNumber } from "./sampling.js";
import { settings } from "./settings.js";

export class Panel {
    #session;

    constructor(session) {
        this.#session = session;
        $("system").addEventListener("input", () => session.setSystem($("system").value));
        $("stop-strings").addEventListener("input", () => settings.set("stop", $("stop-strings").value));
        $("probabilities").addEventListener("change", () => settings.set("probabilities", $("probabilities").checked));
        $("api-key").addEventListener("change", () => settings.set("apiKey", $("api-key").value.trim() || undefined));
        $("reset").addEventListener("click", () => {
            for (const name of ["sampling", "stop", "probabilities"]) settings.set(name, undefined);
            this.render();
        });
        session.addEventListener("current", () => this.#renderSystem());
    }

    /** Asks the server anew for the adapters. */
    async refresh() {
        await refreshAdapters();
        this.#renderAdapters();
    }

    render() {
        this.#renderSystem();
        $("numbers").replaceChildren(...NUMBERS.map(numberRow));
        $("stop-strings").value = settings.get("stop") ?? "";
        $("probabilities").checked = settings.get("probabilities") ?? false;
        $("api-key").value = settings.get("apiKey") ?? "";
        this.#renderAdapters();
    }

    #renderSystem() {
        $("system-section").hidden = this.#session.current.mode !== "chat";
        $("system").value = this.#session.current.system ?? "";
    }

    #renderAdapters() {
        const rows = adapterChoices().map(adapterRow);
        $("adapters").replaceChildren(...(rows.length ? rows : [el("p", { class: "hint" }, t("noAdapters"))]));
    }
}

// A number and its slider. The slider is a hint of the usual range; an open range takes larger numbers, too.
function numberRow({ field, text, min, max, step, rest, slider = true, open = false }) {
    const value = settings.get("sampling")?.[field];
    const help = `${field}-help`;
    const attributes = { min, step, "aria-describedby": help };
    const input = el("input", { type: "number", id: field, placeholder: t("serverDefault"), ...attributes });
    if (!open) input.max = max;
    input.value = value ?? "";
    const range = slider && el("input", { type: "range", "aria-label": t(text), ...attributes, max });
    if (range) range.value = value ?? rest;
    const row = el(
        "div",
        { class: value === undefined ? "number unset" : "number" },
        el("label", { for: field }, t(text)),
        input,
        range,
        el("p", { class: "hint", id: help }, t(text + "Help")),
    );
    const keep = (chosen) => {
        setNumber(field, chosen);
        row.classList.toggle("unset", chosen === null);
        if (range) range.value = chosen ?? rest;
    };
    input.addEventListener("input", () => {
        input.ariaInvalid = String(!input.checkValidity());
        if (input.checkValidity()) keep(input.value === "" ? null : Number(input.value));
    });
    if (range) {
        range.addEventListener("input", () => {
            input.value = range.value;
            input.ariaInvalid = "false";
            keep(Number(range.value));
        });
    }
    return row;
}

function adapterRow({ name, scale, choose }, index) {
    const id = `lora-${index}`;
    const output = el("output", { for: id }, number(scale, 2));
    const range = el("input", { type: "range", id, min: 0, max: 2, step: 0.05 });
    range.value = scale;
    range.addEventListener("input", () => {
        output.textContent = number(Number(range.value), 2);
        choose(Number(range.value));
    });
    return el("div", { class: "number" }, el("label", { for: id }, name), output, range);
}
