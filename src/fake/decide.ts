// Decides what becomes of a call: a rule's doing, a refusal by its key's limits, or an answer with its pace.
// Nothing is sent here; the result is a plan that call.ts carries out.
import { readHeaderAction } from "./action.ts";
import { DEFAULT_MODELS, listModels } from "./families/models.ts";
import { jsonAnswer } from "./families/answer.ts";
import { FORMS, errorOfStatus } from "./forms/table.ts";
import { OPERATIONS } from "./operations.ts";
import { printMetrics } from "./metrics.ts";
import { standsAlone } from "./faults.ts";
import { timesOf, voiceOf } from "./timing.ts";
import { createMeter } from "./limits.ts";
import { createRuleBook } from "./rules.ts";
import type { Action } from "./action.ts";
import type { Answer } from "./families/answer.ts";
import type { Ask } from "./families/ask.ts";
import type { ErrorFacts, ErrorName, Form, FormError, Headers } from "./forms/form.ts";
import type { KeyMeter } from "./limits.ts";
import type { FileShelf } from "./families/files.ts";
import type { EngineLoad } from "./metrics.ts";
import type { Random } from "./random.ts";
import type { KeyRules, Script } from "./script-parse.ts";
import type { Voice } from "./families/voice.ts";

export interface Plan {
  readonly answer: Answer;
  readonly headers: Headers;
  readonly latencyMs: number;
  readonly firstMs: number;
  readonly gapMs: number;
  readonly action: Action | undefined;
  readonly rule: number;
  /** What the ledger calls it; empty for a good answer. */
  readonly fault: string;
  /** The error that in-band faults tell of. */
  readonly inBand: FormError;
}

/** What a decider needs from the fake it decides for. */
export interface Surroundings {
  readonly random: Random;
  readonly now: () => number;
  readonly shelf: FileShelf;
  readonly load: () => EngineLoad;
}

export interface Decider {
  decide(ask: Ask): Plan;
}

const NO_ACTION: Action = { pace: {}, headers: [] };
const DEFAULT_CONTEXT = 128_000;

/** A decider for one script; its counts and windows start anew with each script. */
export function createDecider(script: Script, surroundings: Surroundings): Decider {
  const { random, now, shelf, load } = surroundings;
  const book = createRuleBook(script.rules, random);
  const meters = new Map<string, KeyMeter>();
  for (const [key, rules] of script.keys ?? []) meters.set(key, createMeter(rules));

  const factsOf = (ask: Ask, retryAfterMs: number): ErrorFacts => ({
    model: ask.model,
    key: ask.key,
    requestId: `req_fake_${ask.id}`,
    apiVersion: new URLSearchParams(ask.request.query).get("api-version") ?? "2024-10-21",
    promptTokens: ask.promptTokens,
    contextWindow: script.contextWindow ?? DEFAULT_CONTEXT,
    nowMs: now(),
    retryAfterMs,
  });

  /** The error that the key or the model earns, before anything is answered. */
  const refusal = (ask: Ask, rules: KeyRules | undefined): ErrorName | undefined => {
    if (ask.family === "engine") return undefined;
    if (script.keys !== undefined && (rules === undefined || rules.revoked)) return "auth";
    if (rules?.quotaExhausted === true) return "quota";
    const operation = OPERATIONS[ask.operation];
    if (operation?.needsModel !== true) return undefined;
    if (ask.model === "" || (operation.needsJson && ask.json === undefined)) return "bad_request";
    const known = script.models?.includes(ask.model) ?? true;
    if (!known || rules?.models?.some((model) => model.test(ask.model)) === false) return "model_not_found";
    return ask.promptTokens > (script.contextWindow ?? Infinity) ? "context_length" : undefined;
  };

  const answerOf = (ask: Ask, voice: Voice): Answer | undefined => {
    const models = script.models ?? DEFAULT_MODELS;
    if (ask.operation === "models") return listModels(ask, models);
    if (ask.operation !== "metrics") return OPERATIONS[ask.operation]?.answer(ask, voice, shelf);
    if (script.metrics === undefined) return undefined;
    const text = printMetrics(script.metrics, load(), models[0] ?? "fake");
    const type = "text/plain; version=0.0.4; charset=utf-8";
    return { status: 200, body: { kind: "whole", type, data: text }, steps: 1, tokensPerStep: 0 };
  };

  return {
    decide(ask) {
      const problems: string[] = [];
      const header = ask.request.headers["x-fake"];
      const asked = header === undefined ? undefined : readHeaderAction(header, problems);
      const applied = asked === undefined ? book.apply(ask) : { action: asked, rule: -2 };
      const action = applied?.action ?? NO_ACTION;
      const rules = script.keys?.get(ask.key);
      const form = FORMS[action.form ?? rules?.form ?? script.form ?? formByPath(ask)];
      const facts = factsOf(ask, action.retryAfterMs ?? 5000);
      const plan = (answer: Answer, fault: string, extra: Headers = {}): Plan => ({
        answer,
        headers: { ...extra, ...answer.headers },
        ...timesOf(script.pace, action.pace, answer, random),
        action: applied?.action,
        rule: applied?.rule ?? -1,
        fault,
        inBand: form.error(action.error ?? "server_error", facts),
      });
      // A refusal comes whole: what a rule would have done to the good answer is not done to it.
      const fail = (error: FormError, fault: string, extra: Headers = {}): Plan => ({
        ...plan(jsonAnswer(error.body, error.status), fault, { ...extra, ...error.headers }),
        action: undefined,
      });

      if (problems.length > 0) {
        return plan(
          jsonAnswer({ error: { message: problems.join("; "), type: "fake_script_error" } }, 400),
          "script",
        );
      }
      const own = ownAnswer(action, form, facts);
      if (own !== undefined)
        return own.headers ? plan(own.answer, own.fault, own.headers) : plan(own.answer, own.fault);
      if (action.fault !== undefined && standsAlone(action.fault))
        return plan(jsonAnswer({}), action.fault.kind);

      const refused = refusal(ask, rules);
      if (refused !== undefined) return fail(form.error(refused, facts), refused);
      const pace = { ...script.pace, ...action.pace };
      const voice = voiceOf(ask, pace, { random, nowMs: now() });
      const answer = answerOf(ask, voice);
      if (answer === undefined) {
        const name = ask.operation === "models" ? "model_not_found" : "not_found";
        return fail(form.error(name, { ...facts, model: ask.object || ask.model }), name);
      }
      const meter = ask.request.method === "POST" ? meters.get(ask.key) : undefined;
      const over = meter?.admit(ask.promptTokens + answer.steps * answer.tokensPerStep, facts.nowMs);
      const limits = meter === undefined ? {} : form.limitHeaders(meter.views(facts.nowMs), facts.nowMs);
      if (over !== undefined) return fail(form.error("rate_limit", { ...facts, ...over }), "limit", limits);
      const bodied = action.body === undefined ? answer : withBody(answer, action.body);
      return plan(bodied, action.fault?.kind ?? "", limits);
    },
  };
}

interface Own {
  readonly answer: Answer;
  readonly fault: string;
  readonly headers?: Headers;
}

/** The answer that a rule gives by itself: an error, a status. */
function ownAnswer(action: Action, form: Form, facts: ErrorFacts): Own | undefined {
  const { status, error, body } = action;
  const inBand = action.fault?.kind === "error_first" || action.fault?.kind === "error_later";
  if (inBand || (error === undefined && (status === undefined || status < 400))) return undefined;
  const known = form.error(error ?? errorOfStatus(status ?? 500), facts);
  const answer = jsonAnswer(known.body, status ?? known.status);
  return {
    answer: body === undefined ? answer : withBody(answer, body),
    fault: error ?? "status",
    headers: known.headers,
  };
}

/** The same answer with another body, whole. */
function withBody(answer: Answer, body: { readonly text: string; readonly json: boolean }): Answer {
  const type = body.json ? "application/json" : "text/plain; charset=utf-8";
  return { ...answer, body: { kind: "whole", type, data: body.text }, steps: 1, tokensPerStep: 0 };
}

function formByPath(ask: Ask): Form["name"] {
  if (ask.family === "anthropic" || ask.request.headers["anthropic-version"] !== undefined)
    return "anthropic";
  if (ask.family === "gemini") return "gemini";
  return ask.request.path.includes("/openai/deployments/") ? "azure" : "openai";
}
