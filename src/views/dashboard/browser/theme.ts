// Light, dark, or as the system says. Remembered by the browser, for this page alone.

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const STORED_AS = "weir-theme";

export function rememberedTheme(): Theme {
  try {
    const stored = localStorage.getItem(STORED_AS);
    return THEMES.find((theme) => theme === stored) ?? "auto";
  } catch {
    return "auto"; // a browser may forbid storage: then nothing is remembered
  }
}

export function rememberTheme(theme: Theme): void {
  try {
    localStorage.setItem(STORED_AS, theme);
  } catch {
    // as above
  }
}

/** The style sheet does the rest. */
export function applyTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
