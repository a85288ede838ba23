// The line in front of a limited route.
import { expect, test } from "bun:test";
import { createWaitingRoom } from "../../src/proxy/waiting-room.ts";

const alive = () => new AbortController().signal;

test("a waiting room serves a route's line in order, and wakes only its first", async () => {
  const room = createWaitingRoom(() => 10);
  const first = room.enter("r");
  const second = room.enter("r");
  const woken: string[] = [];
  const turns = [
    first?.turn(60_000, alive()).then(() => woken.push("first")),
    second?.turn(60_000, alive()).then(() => woken.push("second")),
  ];
  room.wake();
  await turns[0];
  expect(woken).toEqual(["first"]);
  expect([first?.isFirst(), second?.isFirst()]).toEqual([true, false]);
  first?.leave();
  await turns[1];
  expect(woken).toEqual(["first", "second"]);
  second?.leave();
  expect([room.hasLine("r"), room.waiting]).toEqual([false, 0]);
});

test("a waiting room has so many places over all routes, and a place is given back once", () => {
  const room = createWaitingRoom(() => 2);
  const places = [room.enter("a"), room.enter("b"), room.enter("b")];
  expect(places.map((place) => place !== undefined)).toEqual([true, true, false]);
  places[0]?.leave();
  places[0]?.leave();
  expect(room.waiting).toBe(1);
  expect(room.enter("c")).toBeDefined();
});

test("a turn ends with the request, and with its time", async () => {
  const room = createWaitingRoom(() => 10);
  const gone = new AbortController();
  const turn = room.enter("r")?.turn(60_000, gone.signal);
  gone.abort();
  await turn;
  await room.enter("r")?.turn(1, alive());
  await room.enter("r")?.turn(60_000, AbortSignal.abort());
});
