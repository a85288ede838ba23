// Why something could not be done, in a word, for a line of a command.

/** The system's code, such as EADDRINUSE; messages may carry more than is wanted. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
