// A path that weir answers itself: what a view offers and the server serves. Also how paths are read off a request.

export interface Page {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `*` at the end for any rest: `/v1/models/*`. */
  readonly path: string;
  /** Who may: anybody (`open`), whoever may send requests (`client`); absent: operators alone. */
  readonly access?: "open" | "client";
  /**
   * `peer`: the address at the other end of the connection. `maySee`: whether it would be let in now, for answers that go
   * on; absent where everybody may.
   */
  readonly respond: (
    request: Request,
    peer: string | undefined,
    maySee?: () => boolean,
  ) => Response | Promise<Response>;
}

/**
 * The name of what a browser gets that has logged in. Cookies do not tell ports apart, and somebody may look at several weirs
 * through ports of one host.
 */
export function sessionCookie(headers: Headers): string {
  const port = /:(\d+)$/.exec(headers.get("host") ?? "")?.[1];
  return port === undefined ? "weir_session" : `weir_session_${port}`;
}

/** Undefined when the browser has not logged in here. */
export function sessionOf(headers: Headers): string | undefined {
  const start = `${sessionCookie(headers)}=`;
  const cookies = (headers.get("cookie") ?? "").split(/; */);
  const value = cookies.find((cookie) => cookie.startsWith(start))?.slice(start.length);
  return value !== undefined && /^[A-Za-z0-9_-]{1,128}$/.test(value) ? value : undefined;
}

/** True for what goes when the dashboard is off or elsewhere: the page and the JSON behind it, not the admin API. */
export function isDashboardPath(path: string): boolean {
  const isPage = path === "/dashboard" || path.startsWith("/dashboard/");
  return isPage || (path.startsWith("/api/") && !path.startsWith("/api/v1/"));
}

/** The path as written, without the query; never by URL parsing, which an odd Host can mislead. */
export function pathOf(url: string): string {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  const query = url.indexOf("?", start);
  return query < 0 ? url.slice(start) : url.slice(start, query);
}

/** The query with its question mark, or an empty text. */
export function searchOf(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? "" : url.slice(query);
}
