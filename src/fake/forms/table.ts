// The forms by name, and the error that a bare status stands for.
import { anthropicForm } from "./anthropic.ts";
import { azureForm } from "./azure.ts";
import { geminiForm } from "./gemini.ts";
import { groqForm } from "./groq.ts";
import { openaiForm } from "./openai.ts";
import { openrouterForm } from "./openrouter.ts";
import type { ErrorName, Form, FormName } from "./form.ts";

export const FORMS: Readonly<Record<FormName, Form>> = {
  openai: openaiForm,
  azure: azureForm,
  anthropic: anthropicForm,
  gemini: geminiForm,
  groq: groqForm,
  openrouter: openrouterForm,
};

const BY_STATUS: Readonly<Record<number, ErrorName>> = {
  400: "bad_request",
  401: "auth",
  402: "billing",
  403: "forbidden",
  404: "model_not_found",
  413: "too_large",
  422: "unprocessable",
  429: "rate_limit",
  500: "server_error",
  502: "bad_gateway",
  503: "unavailable",
  504: "gateway_timeout",
  529: "overloaded",
};

/** The error to show for a status that a script names without saying what is wrong. */
export const errorOfStatus = (status: number): ErrorName =>
  BY_STATUS[status] ?? (status < 500 ? "bad_request" : "server_error");
