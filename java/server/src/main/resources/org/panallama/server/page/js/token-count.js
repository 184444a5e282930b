import { countTokens } from "./api.js";
import { number, t } from "./i18n.js";
import { settings } from "./settings.js";

const PAUSE = 300;

/** Shows how many tokens a text is, as the server counts them, once the typing pauses. */
export class TokenCount {
    #element;
    #timer = 0;
    #request = new AbortController();

    constructor(element) {
        this.#element = element;
    }

    of(text) {
        clearTimeout(this.#timer);
        this.#request.abort();
        if (!text) {
            this.#element.textContent = "";
            return;
        }
        this.#request = new AbortController();
        const { signal } = this.#request;
        this.#timer = setTimeout(async () => {
            try {
                const count = await countTokens(text, settings.get("model"), signal);
                this.#element.textContent = t("tokensTyped", number(count));
            } catch {
                // A count is a convenience; the request itself will say what is wrong.
                if (!signal.aborted) this.#element.textContent = "";
            }
        }, PAUSE);
    }
}
