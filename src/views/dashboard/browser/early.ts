// Runs before the first paint: gives the page the remembered theme, so that it does not flash in the other one.
import { applyTheme, rememberedTheme } from "./theme.ts";

applyTheme(rememberedTheme());
