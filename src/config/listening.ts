// What is to be said at the start of where weir listens when another system's file decides it, or leaves it open.
import type { Draft } from "./draft.ts";
import { isLoopback, plainHost } from "./network.ts";
import { isChosen, placeOf, type ResolvedOptions } from "./resolve-options.ts";
import { describePlace } from "./tree.ts";

export const warnOfListening = (options: ResolvedOptions, drafts: readonly Draft[]): readonly string[] => [
  ...warnOfOpenness(options, drafts),
  ...warnOfElsewhere(options, drafts),
];

/** Another system's file may open weir without its user having said so to weir: that is said aloud. */
function warnOfOpenness(options: ResolvedOptions, drafts: readonly Draft[]): string[] {
  const { values } = options;
  const where = placeOf(options, "server.open");
  const isFromFile = drafts.some(
    (draft) => draft.isForeign && draft.options.get("server.open")?.where === where,
  );
  const host = values["server.host"];
  if (!isFromFile || isLoopback(plainHost(host)) || values["access_keys"].length > 0) return [];
  return [
    `${where} OPENS WEIR TO EVERYBODY who can reach ${host}: they use your keys without one of their own. ` +
      "Set WEIR_ACCESS_KEYS to what clients must send, or WEIR_HOST to 127.0.0.1",
  ];
}

/** Clients of the other system ask at its address. */
function warnOfElsewhere(options: ResolvedOptions, drafts: readonly Draft[]): string[] {
  if (isChosen(options, "server.host") || isChosen(options, "server.port")) return [];
  const { values } = options;
  const here = `${values["server.host"]}:${values["server.port"]}`;
  return drafts.flatMap(({ usualAddress }) => {
    if (usualAddress === undefined) return [];
    const { system, address, at } = usualAddress;
    return `${describePlace(at)} does not say where to listen: ${system} takes ${address}, weir ${here} unless --host and --port say otherwise`;
  });
}
