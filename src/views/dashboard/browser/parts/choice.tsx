/** @jsxImportSource preact */
// A row of buttons of which one is pressed: for few, short choices.

export interface Option<Value extends string> {
  readonly value: Value;
  readonly text: string;
  /** Behind the text, such as a count. */
  readonly note?: string;
  readonly disabled?: boolean;
}

export function Choice<Value extends string>({
  label,
  options,
  chosen,
  onChoose,
}: {
  readonly label: string;
  readonly options: readonly Option<Value>[];
  readonly chosen: Value;
  readonly onChoose: (value: Value) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(({ value, text, note, disabled = false }) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === chosen}
          disabled={disabled}
          onClick={() => onChoose(value)}
        >
          {text}
          {note !== undefined && <span class="note">{note}</span>}
        </button>
      ))}
    </div>
  );
}
