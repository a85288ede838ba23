/** @jsxImportSource preact */
// Type a model, see who would serve it now, in which order, and why everybody else would not.
import { useEffect, useState } from "preact/hooks";
import { askWhoServes, type Answer } from "../ask.ts";
import { Told } from "../parts/explanation.tsx";
import type { TabProps } from "./tab.ts";

const FAMILIES = ["openai", "anthropic", "gemini"] as const;
const MOST_NAMES = 300;

export function Explain({ view, navigation }: TabProps) {
  const { choices } = navigation.place;
  const model = choices["model"] ?? "";
  const family = choices["family"] ?? "";
  const [typed, setTyped] = useState(model);
  const [asked, setAsked] = useState(0);
  const answer = useAnswer(model, family, asked);
  useEffect(() => setTyped(model), [model]);
  return (
    <section class="panel explain" aria-labelledby="explain-title">
      <h2 id="explain-title">Who would serve a model now?</h2>
      <form
        class="tools"
        onSubmit={(event) => {
          event.preventDefault();
          navigation.choose({ model: typed.trim() });
          setAsked(asked + 1);
        }}
      >
        <input
          type="search"
          class="filter"
          aria-label="Model"
          placeholder="Model, as clients send it"
          list="models"
          maxLength={512}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
          autocomplete="off"
          spellcheck={false}
        />
        <datalist id="models">
          {view.models
            .filter(({ kind }) => kind === "route" || kind === "model")
            .slice(0, MOST_NAMES)
            .map(({ name }) => (
              <option key={name} value={name} />
            ))}
        </datalist>
        <label class="always">
          API
          <select
            value={family}
            onChange={(event) => navigation.choose({ family: event.currentTarget.value })}
          >
            <option value="">any</option>
            {FAMILIES.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="primary">
          Explain
        </button>
      </form>
      <div aria-live="polite">
        {answer.kind === "failed" && <p class="verdict tone-bad">{answer.message}</p>}
        {answer.kind === "told" && (
          <Told
            explanation={answer.explanation}
            atMs={answer.atMs}
            onNear={(near) => navigation.choose({ model: near })}
          />
        )}
        {answer.kind === "none" && (
          <p class="none">A dry run: nothing is sent to anybody, and nothing is counted.</p>
        )}
      </div>
    </section>
  );
}

function useAnswer(model: string, family: string, asked: number): Answer {
  const [answer, setAnswer] = useState<Answer>({ kind: "none" });
  useEffect(() => {
    if (model === "") {
      setAnswer({ kind: "none" });
      return undefined;
    }
    const leaving = new AbortController();
    void askWhoServes(model, family, leaving.signal).then((told) => {
      if (!leaving.signal.aborted) setAnswer(told);
    });
    return () => leaving.abort();
  }, [model, family, asked]);
  return answer;
}
