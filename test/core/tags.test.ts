// What a request's tags leave of a route.
import { describe, expect, test } from "bun:test";
import { levelsOf, type Route } from "../../src/core/route.ts";
import { fitsTags, readTagRule } from "../../src/core/tags.ts";
import { createStrategy } from "../../src/core/strategy.ts";
import { createTokenMean } from "../../src/core/estimate.ts";
import { makeBackend, makeSlot } from "../support/slots.ts";

type Fleet = Readonly<Record<string, readonly string[]>>;
const FLEET: Fleet = { free: ["free"], paid: ["paid", "eu"], rest: ["default"] };

function left(
  fleet: Fleet,
  tags: readonly string[],
  match: "any" | "all" = "any",
): readonly string[] | string {
  const slots = Object.entries(fleet).map(([id, has]) =>
    makeSlot(makeBackend(id, has.length === 0 ? {} : { tags: has })),
  );
  const route: Route = {
    name: "r",
    slots,
    levels: levelsOf(slots),
    strategy: createStrategy("least-used", { options: undefined, custom: undefined }),
    tokenMean: createTokenMean(),
    tagged: { match },
  };
  const rule = readTagRule(route, tags);
  if (rule === "none") return "none";
  const fitting = slots.filter(({ backend }) => rule === undefined || fitsTags(backend, rule));
  return fitting.map(({ backend }) => backend.id);
}

describe("a request's tags", () => {
  test("leave the backends that have any of them", () => {
    expect(left(FLEET, ["free"])).toEqual(["free"]);
    expect(left(FLEET, ["eu", "free", "unheard"])).toEqual(["free", "paid"]);
  });

  test("leave the backends that have all of them, where the route says so", () => {
    expect(left(FLEET, ["paid", "eu"], "all")).toEqual(["paid"]);
    expect(left(FLEET, ["free", "eu"], "all")).toEqual(["rest"]);
  });

  test("that nobody has leave the backends tagged default", () => {
    expect(left(FLEET, ["unheard"])).toEqual(["rest"]);
  });

  test("that nobody has leave nothing where nobody is the default", () => {
    expect(left({ free: ["free"], open: [] }, ["unheard"])).toBe("none");
  });

  test("are told apart by case", () => {
    expect(left(FLEET, ["Free"])).toEqual(["rest"]);
  });
});

describe("a request without tags", () => {
  test("is for the backends tagged default", () => {
    expect(left(FLEET, [])).toEqual(["rest"]);
  });

  test("is for all where nobody is the default", () => {
    expect(left({ free: ["free"], open: [] }, [])).toEqual(["free", "open"]);
  });
});
