import { expect, test } from "bun:test";
import { balanceRatio } from "../../src/core/balance.ts";

test("the balance of keys is least by most, each by its weight", () => {
  expect(
    balanceRatio([
      { attempts: 30, weight: 3 },
      { attempts: 10, weight: 1 },
    ]),
  ).toBe(1);
  expect(
    balanceRatio([
      { attempts: 10, weight: 1 },
      { attempts: 5, weight: 1 },
    ]),
  ).toBe(0.5);
  expect(
    balanceRatio([
      { attempts: 10, weight: 1 },
      { attempts: 0, weight: 1 },
    ]),
  ).toBe(0);
});

test("the balance is unknown for one key, for unused ones, and drained ones are not compared", () => {
  expect(balanceRatio([{ attempts: 10, weight: 1 }])).toBeNull();
  expect(balanceRatio([])).toBeNull();
  expect(
    balanceRatio([
      { attempts: 0, weight: 1 },
      { attempts: 0, weight: 1 },
    ]),
  ).toBeNull();
  expect(
    balanceRatio([
      { attempts: 10, weight: 1 },
      { attempts: 0, weight: 0 },
    ]),
  ).toBeNull();
});
