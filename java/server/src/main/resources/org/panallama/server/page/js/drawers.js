// The two side panels. On a wide page they stand beside the conversation and are there or not; on a narrow one they lie
// over it, one at a time, and go away with Escape or a touch beside them.

import { $ } from "./dom.js";
import { settings } from "./settings.js";

const WIDE = matchMedia("(min-width: 1000px)");

export class Drawers {
    #over = null;

    constructor() {
        for (const button of document.querySelectorAll("[data-drawer]")) {
            button.addEventListener("click", () => this.toggle(button.dataset.drawer));
        }
        $("shade").addEventListener("click", () => this.close());
        WIDE.addEventListener("change", () => {
            this.#over = null;
            this.render();
        });
        this.render();
    }

    isOpen(name) {
        if (!WIDE.matches) return this.#over === name;
        return settings.get(`${name}-open`) ?? name === "sidebar";
    }

    toggle(name) {
        const open = !this.isOpen(name);
        if (WIDE.matches) settings.set(`${name}-open`, open);
        else this.#over = open ? name : null;
        this.render();
        if (open) $(name).querySelector("button, input, textarea")?.focus();
        else $(`${name}-button`).focus();
    }

    /** Closes what lies over the conversation; returns whether something did. */
    close() {
        if (!this.#over) return false;
        this.toggle(this.#over);
        return true;
    }

    render() {
        for (const name of ["sidebar", "settings"]) {
            $(name).hidden = !this.isOpen(name);
            $(`${name}-button`).setAttribute("aria-expanded", String(this.isOpen(name)));
        }
        $("shade").hidden = !this.#over;
        $("main").inert = Boolean(this.#over);
    }
}
