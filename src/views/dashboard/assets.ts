// The page's files as text, inside the binary: bundled from source by a macro, so that nothing built is kept in the
// repository. Imported only once somebody asks for the page: from source, bundling costs about 40 ms.
import { bundleText, readText } from "./bundle.ts" with { type: "macro" };

/** In it, `{{name}}` stands for a file's name with its hash. */
export const PAGE_HTML = readText("page.html");

/** Text by name. */
export const FILES: Readonly<Record<string, string>> = {
  "early.js": bundleText("browser/early.ts"),
  "dashboard.js": bundleText("browser/main.tsx"),
  "dashboard.css": bundleText("browser/styles/all.css"),
};
