// How many tokens a request will probably use, to reserve them before it is sent; the answer's own count settles it.

/** What one route has learned; kept across reloads. */
export interface TokenMean {
  readonly tokens?: number;
}

/** A route that has answered nothing yet: a token is about four bytes, and the answer is bounded by this guess. */
const BYTES_PER_TOKEN = 4;
const FIRST_GUESS_TOKENS = 2000;
/** Weight of the newest answer in the running mean. */
const NEWEST = 0.1;

export function createTokenMean(): TokenMean {
  return {};
}

export function estimateTokens(mean: TokenMean, bodyBytes: number): number {
  return Math.round(mean.tokens ?? Math.min(bodyBytes / BYTES_PER_TOKEN, FIRST_GUESS_TOKENS));
}

export function noteTokens(mean: TokenMean, tokens: number): void {
  const record: { tokens?: number } = mean;
  record.tokens = mean.tokens === undefined ? tokens : mean.tokens + NEWEST * (tokens - mean.tokens);
}
