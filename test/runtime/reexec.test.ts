// The start anew that lifts Bun's cap on concurrent calls: decided from plain values.
import { expect, test } from "bun:test";
import { planReexec } from "../../src/runtime/reexec.ts";

const program = { file: "/opt/weir", args: ["--port", "80"] };

test("a plain start is repeated with the cap lifted and its arguments kept", () => {
  const plan = planReexec({ ...program, env: { HOME: "/home/me", UNSET: undefined } });
  expect(plan?.args).toEqual(["/opt/weir", "--port", "80"]);
  expect(plan?.env).toMatchObject({ HOME: "/home/me", BUN_CONFIG_MAX_HTTP_REQUESTS: "65535" });
  expect(plan?.env).not.toHaveProperty("UNSET");
});

test("a start that has been repeated goes on, whatever became of the variable", () => {
  const plan = planReexec({ ...program, env: {} });
  expect(planReexec({ ...program, env: plan?.env ?? {} })).toBeUndefined();
  expect(planReexec({ ...program, env: { WEIR_REEXEC: "1" } })).toBeUndefined();
});

test("an environment that has the cap lifted already is enough", () => {
  expect(planReexec({ ...program, env: { BUN_CONFIG_MAX_HTTP_REQUESTS: "65535" } })).toBeUndefined();
});

test("a name server's answers are kept as long as the user says, else 30 s", () => {
  const name = "BUN_CONFIG_DNS_TIME_TO_LIVE_SECONDS";
  expect(planReexec({ ...program, env: { [name]: "5" } })?.env[name]).toBe("5");
  expect(planReexec({ ...program, env: {} })?.env[name]).toBe("30");
});

test("descriptors that are named as files are passed on, beside the standard ones", () => {
  const args = [
    "--config=/dev/fd/63,/dev/fd/62",
    "--env-file",
    "/proc/self/fd/7",
    "/dev/fd/1",
    "/dev/fd/4096",
  ];
  const env = { OPENAI_API_KEYS_FILE: "/dev/fd/61" };
  expect(planReexec({ ...program, args, env })?.descriptors).toEqual([7, 61, 62, 63]);
});
