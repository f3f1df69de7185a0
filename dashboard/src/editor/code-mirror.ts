/**
 * CodeMirror with what a Worker's module needs. The page's policy allows no inline styles, so the editor lives in a shadow
 * root, where its styles are adopted style sheets.
 */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'light-dark(#a40e26, #ff9492)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'light-dark(#0a3069, #a5d6ff)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'light-dark(#0550ae, #79c0ff)' },
  { tag: [tags.comment], color: 'light-dark(#57606a, #9da7b3)', fontStyle: 'italic' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: 'light-dark(#6639ba, #d2a8ff)' },
  { tag: [tags.typeName, tags.className], color: 'light-dark(#953800, #ffa657)' },
]);

const THEME = EditorView.theme({
  '&': { backgroundColor: 'var(--field)', color: 'var(--text)', fontSize: '14px' },
  '&.cm-focused': { outline: '3px solid var(--link)', outlineOffset: '-3px' },
  '.cm-scroller': { fontFamily: 'ui-monospace, Menlo, Consolas, monospace', minHeight: '16rem', maxHeight: '60vh' },
  '.cm-gutters': { backgroundColor: 'var(--back)', color: 'var(--muted)', border: 'none' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-activeLine': { backgroundColor: 'light-dark(#0550ae12, #6cb6ff12)' },
  '.cm-tooltip': { backgroundColor: 'var(--card)', color: 'var(--text)', border: '1px solid var(--line)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'light-dark(#b6d7ff, #264f78)',
  },
});

export interface CodeEditor {
  close(): void;
}

interface CodeEditorOptions {
  readonly text: string;
  readonly label: string;
  readonly isCode: boolean;
  readonly onChange: (text: string) => void;
  /** Ctrl-S or Cmd-S. */
  readonly onSave: () => void;
}

export function openCodeEditor(
  host: HTMLElement,
  { text, label, isCode, onChange, onSave }: CodeEditorOptions,
): CodeEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const save = (): boolean => {
    onSave();
    return true;
  };
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        isCode ? javascript({ typescript: false }) : [],
        syntaxHighlighting(COLOURS),
        THEME,
        EditorView.lineWrapping,
        // Escape, then Tab, leaves the editor by keyboard: CodeMirror's own way out of it.
        keymap.of([
          { key: 'Mod-s', run: save, preventDefault: true },
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...completionKeymap,
          indentWithTab,
        ]),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return { close: () => view.destroy() };
}
