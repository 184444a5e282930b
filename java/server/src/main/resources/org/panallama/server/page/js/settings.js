// What the user chose, kept in localStorage. Without it (a private window may forbid it) the choices last until the
// page is closed.

const KEY = "panallama.settings";

function load() {
    try {
        return JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch {
        return {};
    }
}

class Settings extends EventTarget {
    #values = load();

    get(name) {
        return this.#values[name];
    }

    /** Keeps a value; undefined forgets it. Listeners of `name` are told. */
    set(name, value) {
        this.#values[name] = value;
        try {
            localStorage.setItem(KEY, JSON.stringify(this.#values));
        } catch {
            // Kept in memory.
        }
        this.dispatchEvent(new Event(name));
    }
}

export const settings = new Settings();
