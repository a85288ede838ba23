/** @jsxImportSource preact */
// All facts of one row, at the side; Escape closes it, and the focus goes back to where it was.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export type Fact = readonly [name: string, value: ComponentChildren];

export function Drawer({
  title,
  facts,
  children,
  onClose,
}: {
  readonly title: string;
  readonly facts: readonly Fact[];
  readonly children?: ComponentChildren;
  readonly onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="drawer"
      aria-labelledby="drawer-title"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="drawer-inside">
        <header>
          <h2 id="drawer-title">{title}</h2>
          <button type="button" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </header>
        <dl class="fact-list">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {children}
      </div>
    </dialog>
  );
}
