// What an SDK's error is: the status it names, by the class it must have for that, and whose body it carries.
import * as anthropic from "@anthropic-ai/sdk";
import { ApiError as GeminiError } from "@google/genai";
import * as openai from "openai";

type ErrorClass = abstract new (...args: never) => Error;

/** The classes that OpenAI's and Anthropic's SDKs promise for a status; Google's has one for all. */
const CLASSES: Readonly<Record<number, readonly ErrorClass[]>> = {
  400: [openai.BadRequestError, anthropic.BadRequestError],
  401: [openai.AuthenticationError, anthropic.AuthenticationError],
  403: [openai.PermissionDeniedError, anthropic.PermissionDeniedError],
  404: [openai.NotFoundError, anthropic.NotFoundError],
  413: [openai.APIError, anthropic.APIError],
  422: [openai.UnprocessableEntityError, anthropic.UnprocessableEntityError],
  429: [openai.RateLimitError, anthropic.RateLimitError],
};
const SERVER_CLASSES: readonly ErrorClass[] = [openai.InternalServerError, anthropic.InternalServerError];

/** `429 theirs` with the provider's body, `502 weir's` with weir's own; undefined for an error without a status. */
export function describeError(error: unknown): string | undefined {
  const status =
    error instanceof openai.APIError || error instanceof anthropic.APIError || error instanceof GeminiError
      ? error.status
      : undefined;
  if (status === undefined) return undefined;
  const classes = [GeminiError, ...(CLASSES[status] ?? (status >= 500 ? SERVER_CLASSES : []))];
  if (!classes.some((each) => error instanceof each)) return `${status} as ${String(error)}`;
  const own = /no backend gave an answer|every (key|backend)/.test(String(error));
  return `${status} ${own ? "weir's" : "theirs"}`;
}
