/** A Worker's code, a button that deploys it, and a pane to try it. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { toShortId } from '../ui/format.ts';
import { useAction, useLoad } from '../ui/load.ts';
import { Card, Failure, LoadedView } from '../ui/parts.tsx';
import { createDraft, type Draft, loadDraft, upload } from './modules.ts';
import { TryPane } from './try-pane.tsx';

interface EditorPaneProps {
  readonly account: string;
  /** '' while it has no good one. */
  readonly name: string;
  readonly isNew: boolean;
  readonly onDeployed?: () => void;
}

export function EditorPane(props: EditorPaneProps): JSX.Element {
  const { account, name, isNew } = props;
  const loaded = useLoad(isNew ? 'new' : `code ${account} ${name}`, async (signal) =>
    isNew ? createDraft() : loadDraft(account, name, signal),
  );
  return <LoadedView of={loaded}>{(draft) => <DraftPane {...props} loaded={draft} />}</LoadedView>;
}

function DraftPane({ account, name, isNew, onDeployed, loaded }: EditorPaneProps & { loaded: Draft }): JSX.Element {
  const texts = useRef(new Map<string, string>());
  const [selected, setSelected] = useState(loaded.mainModule);
  const [message, setMessage] = useState('');
  const [done, setDone] = useState<{ id: string; deployed: boolean }>();
  const { run, isRunning, error } = useAction();
  const module = loaded.modules.find((one) => one.name === selected);
  const send = async (deploys: boolean): Promise<void> => {
    setDone(undefined);
    if (name === '') throw new Error('Give the Worker a name first: lower-case letters, digits and hyphens.');
    const modules = loaded.modules.map((one) => ({ ...one, text: texts.current.get(one.name) ?? one.text }));
    const options = { account, name, message: message || 'Edited in the dashboard', deploys };
    const id = await upload({ ...loaded, modules }, options);
    setDone({ id, deployed: deploys });
    if (deploys) onDeployed?.();
  };
  return (
    <div class="grid">
      <Card title="Code">
        {loaded.modules.length > 1 && (
          <label>
            Module
            <select value={selected} onChange={({ currentTarget }) => setSelected(currentTarget.value)}>
              {loaded.modules.map((one) => (
                <option key={one.name} value={one.name}>
                  {one.name}
                  {one.text === undefined ? ' (binary)' : ''}
                </option>
              ))}
            </select>
          </label>
        )}
        {module?.text === undefined ? (
          <p class="muted">This module cannot be edited as text; it is kept as it is.</p>
        ) : (
          <CodeBox
            key={module.name}
            label={`Code of ${module.name}`}
            isCode={module.type.includes('javascript')}
            text={texts.current.get(module.name) ?? module.text}
            onChange={(text) => texts.current.set(module.name, text)}
            onSave={() => run(() => send(true))}
          />
        )}
        <div class="row">
          <label class="wide">
            Message
            <input
              value={message}
              maxLength={1_000}
              placeholder="What changes"
              onInput={({ currentTarget }) => setMessage(currentTarget.value)}
            />
          </label>
          <button type="button" class="main" disabled={isRunning} onClick={() => run(() => send(true))}>
            Deploy
          </button>
          {!isNew && (
            <button type="button" disabled={isRunning} onClick={() => run(() => send(false))}>
              Save as a version
            </button>
          )}
        </div>
        <Failure error={error} />
        {done !== undefined && (
          <p class="notice good" role="status">
            {done.deployed ? 'Deployed' : 'Saved, not deployed'}: version <code>{toShortId(done.id)}</code>
          </p>
        )}
        <p class="muted">
          Bindings, secrets and compatibility date stay as they are. Escape, then Tab, leaves the editor.
        </p>
      </Card>
      {!isNew && <TryPane account={account} name={name} saved={done?.deployed === false ? done.id : undefined} />}
    </div>
  );
}

interface CodeBoxProps {
  readonly label: string;
  readonly isCode: boolean;
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly onSave: () => void;
}

/** The editor, whose code is fetched when one is first shown. */
function CodeBox(props: CodeBoxProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    let isGone = false;
    let close = (): void => {};
    const open = async (): Promise<void> => {
      const { openCodeEditor } = await import('./code-mirror.ts');
      if (isGone || host.current === null) return;
      const editor = openCodeEditor(host.current, {
        ...latest.current,
        onChange: (text) => latest.current.onChange(text),
        onSave: () => latest.current.onSave(),
      });
      close = () => editor.close();
    };
    open().catch(setError);
    return () => {
      isGone = true;
      close();
    };
  }, []);
  return (
    <>
      <Failure error={error} />
      <div class="editor" ref={host} />
    </>
  );
}
