/**
 * Puts a call around each operand of `await` (and what else waits), so that the runtime can bring the asynchronous context
 * back when the function goes on: see guest/node/async-hooks/promises.ts. Text is put in and nothing else is changed: no
 * line moves.
 */
import { type AnyNode, type Options, parse } from 'acorn';

/** Of a module: which text was put in where, in the order of positions. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

export interface Amended {
  readonly text: string;
  readonly insertions: readonly Insertion[];
}

const FRAMES = 'isola:frames';

interface Visit {
  readonly node: AnyNode;
  /** Whether the innermost function around it is an async generator: there `yield` and `return` wait too. */
  readonly inAsyncGenerator: boolean;
}

/** Undefined when nothing in the module waits, or it is amended already. Throws a SyntaxError for what cannot be parsed. */
export function amendModule(text: string, kind: 'cjs' | 'esm'): Amended | undefined {
  if (text.includes(`"${FRAMES}"`)) return undefined; // it has been: older wranglers fetch modules and send them again
  const isModule = kind === 'esm';
  const options: Options = {
    ecmaVersion: 'latest',
    sourceType: isModule ? 'module' : 'script',
    allowReturnOutsideFunction: !isModule,
    allowHashBang: true,
    preserveParens: true,
  };
  const program = parse(text, options);
  const hold = unusedName(text, 'h');
  const iterate = unusedName(text, 'i');
  const insertions = collect(program, hold, iterate);
  if (insertions.length === 0) return undefined;
  const names = isModule ? `{hold as ${hold},iterate as ${iterate}}` : `{hold:${hold},iterate:${iterate}}`;
  const head = isModule ? `import${names}from"${FRAMES}";` : `const${names}=require("${FRAMES}");`;
  insertions.push({ at: startOf(program, text), text: head });
  insertions.sort((a, b) => a.at - b.at);
  return { text: insertAll(text, insertions), insertions };
}

function collect(program: AnyNode, hold: string, iterate: string): Insertion[] {
  const insertions: Insertion[] = [];
  const wrap = (node: AnyNode, name: string): void => {
    insertions.push({ at: node.start, text: `${name}(` }, { at: node.end, text: ')' });
  };
  // Not by recursion: minified code nests as deep as it likes.
  const stack: Visit[] = [{ node: program, inAsyncGenerator: false }];
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const { node } = visit;
    if (node.type === 'AwaitExpression') wrap(node.argument, hold);
    else if (node.type === 'ForOfStatement' && node.await) wrap(node.right, iterate);
    else if (visit.inAsyncGenerator && node.type === 'YieldExpression') {
      if (node.argument) wrap(node.argument, node.delegate ? iterate : hold);
      else insertions.push({ at: node.end, text: ` ${hold}()` });
    } else if (visit.inAsyncGenerator && node.type === 'ReturnStatement' && node.argument) wrap(node.argument, hold);
    pushChildren(stack, node, isFunction(node) ? node.async && node.generator : visit.inAsyncGenerator);
  }
  return insertions;
}

function isFunction(node: AnyNode): node is AnyNode & { async: boolean; generator: boolean } {
  return /^(?:ArrowFunctionExpression|FunctionDeclaration|FunctionExpression)$/.test(node.type);
}

function pushChildren(stack: Visit[], node: AnyNode, inAsyncGenerator: boolean): void {
  for (const value of Object.values(node) as unknown[]) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (isNode(child)) stack.push({ node: child, inAsyncGenerator });
    }
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

/** Behind the directives, which have to come first, or the `#!` line. */
function startOf(program: { body: readonly AnyNode[] }, text: string): number {
  let at = text.startsWith('#!') ? text.indexOf('\n') + 1 : 0;
  for (const statement of program.body) {
    if (statement.type !== 'ExpressionStatement' || statement.directive === undefined) break;
    at = statement.end;
  }
  return at;
}

/** Short, and nowhere in the text. */
function unusedName(text: string, letter: string): string {
  for (let count = 0; ; count++) {
    const name = `$${letter}${count}`;
    if (!text.includes(name)) return name;
  }
}

function insertAll(text: string, insertions: readonly Insertion[]): string {
  const parts: string[] = [];
  let end = 0;
  for (const insertion of insertions) {
    parts.push(text.slice(end, insertion.at), insertion.text);
    end = insertion.at;
  }
  parts.push(text.slice(end));
  return parts.join('');
}
