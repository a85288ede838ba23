// What a person sees while services come up.
import { describe, expect, test } from "bun:test";
import { createProgress } from "../../src/deploy/progress.ts";

describe("progress without a terminal", () => {
  test("is a line for every change, and details are left out", () => {
    let text = "";
    const progress = createProgress((more) => void (text += more), undefined);
    progress.begin(["a service 0"]);
    progress.update("a service 0", "starting", "1 s");
    progress.update("a service 0", "starting", "2 s");
    progress.fail("a service 0", "it ended", ["last line"]);
    progress.say("done");
    progress.close();
    expect(text).toBe(
      "a service 0: starting\na service 0: FAILED: it ended\n    a service 0 | last line\ndone\n",
    );
  });
});

describe("progress on a terminal", () => {
  const ESCAPE = "\u001b";
  const STEP = new RegExp(String.raw`(${ESCAPE}\[\d*[A-Z]|\n|\r)`);

  /** The lines that a terminal shows after all that was written. */
  function screenOf(writes: string): readonly string[] {
    const lines: string[] = [""];
    let row = 0;
    for (const part of writes.split(STEP)) {
      const up = part.startsWith(ESCAPE) && part.endsWith("A") ? Number(part.slice(2, -1)) : 0;
      if (part === "\n") {
        row += 1;
        lines[row] ??= "";
      } else if (up > 0) row -= up;
      else if (part === `${ESCAPE}[0J`) lines.splice(row, lines.length, "");
      else if (part !== "\r") lines[row] = (lines[row] ?? "") + part;
    }
    return lines.slice(0, -1);
  }

  test("is a line for each service in order, that changes in place below the lines that stay", () => {
    let text = "";
    const write = (more: string): void => void (text += more);
    const progress = createProgress(write, { write, columns: 40, rows: 24 });
    progress.begin(["a service 0", "b service 10"]);
    progress.update("b service 10", "starting on port 2", "3 s  loading a very long line of text");
    progress.fail("a service 0", "it ended: exit code 3, and this is too long for the line", ["last"]);
    expect(screenOf(text)).toEqual([
      "a service 0: FAILED: it ended: exit code 3, and this is too long for the line",
      "    a service 0 | last",
      "a service 0   FAILED  it ended: exit c…",
      "b service 10  starting on port 2  3 s …",
    ]);
    progress.close();
    progress.say("1 of 2");
    expect(screenOf(text).at(-1)).toBe("1 of 2");
  });

  test("leaves no line behind where the window has become narrower", () => {
    let text = "";
    const write = (more: string): void => void (text += more);
    const screen = { write, columns: 40, rows: 24 };
    const progress = createProgress(write, screen);
    progress.begin(["a service 0"]);
    progress.update("a service 0", "starting on port 30596", "1 s");
    screen.columns = 20;
    text = "a service 0  startin\ng on port 30596  1 s\n";
    progress.update("a service 0", "ready");
    expect(screenOf(text)).toEqual(["a service 0  ready"]);
    progress.update("a service 0", "starting on port 30596");
    expect(screenOf(text)).toEqual(["a service 0  start…"]);
  });

  test("counts columns, of which some characters take two", () => {
    const written: string[] = [];
    const write = (more: string): void => void written.push(more);
    const progress = createProgress(write, { write, columns: 40, rows: 24 });
    progress.begin(["a service 0"]);
    progress.update("a service 0", "starting", "正在加载模型权重".repeat(8));
    const line = written.at(-1)?.split("\u001b[0J")[1];
    expect(line).toBe("a service 0  starting  正在加载模型权…\n");
    progress.update("a service 0", "ready");
    expect(written.at(-1)).toStartWith("\u001b[1A\r");
  });

  test("counts the services that do not fit", () => {
    let text = "";
    const write = (more: string): void => void (text += more);
    const progress = createProgress(write, { write, columns: 80, rows: 5 });
    progress.begin(Array.from({ length: 9 }, (_, at) => `n${at} service 0`));
    progress.update("n0 service 0", "ready");
    expect(screenOf(text)).toEqual(["n0 service 0  ready", "n1 service 0  in line", "… and 7 more"]);
  });
});
