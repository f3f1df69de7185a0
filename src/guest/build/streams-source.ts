/**
 * The streams polyfill as it goes into its part (host side): what it does for each chunk is cheaper, and
 * uses no built-in that a tenant may have replaced by then. Each change is one of its text, and the build fails when
 * there is not the text that it replaces: whoever brings in another version of it looks at these again.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const CHANGES: readonly (readonly [text: string | RegExp, replacement: string, times: number])[] = [
  [
    'const n=Promise,i=Promise.resolve.bind(n),a=Promise.prototype.then,s=Promise.reject.bind(n)',
    'const n=Promise,i=promiseResolve,s=promiseReject',
    1,
  ],
  ['return a.call(e,t,r)', 'return promiseThen(e,t,r)', 1],
  ['return Function.prototype.apply.call(e,t,r)', 'return reflectApply(e,t,r)', 1],
  // "A promise resolved with" what is no object cannot be told from the built-in's, which needs no functions.
  ['function c(e){return u(t=>t(e))}', 'function c(e){return t(e)?u(t=>t(e)):i(e)}', 1],
  // A second promise whose only purpose was to tell of mistakes in the polyfill.
  ['function h(e,t,o){f(f(e,t,o),void 0,r)}', 'function h(e,t,o){f(e,t,o||r)}', 1],
  // Once per controller, where it was two functions for each chunk.
  [
    /h\(e\._pullAlgorithm\(\),(\(\)=>\(e\._pulling=!1,e\._pullAgain&&\(e\._pullAgain=!1,\w+\(e\)\),null\)),(t=>\(\w+\(e,t\),null\))\)/g,
    'h(e._pullAlgorithm(),e._onPulled??=$1,e._onPullError??=$2)',
    2,
  ],
  [/Object\.prototype\.hasOwnProperty\.call\(/g, 'objectHasOwn(', 14],
];

/** The specifier of a module with the changed text, which imports from `shared`. */
export function streamsModule(shared: string): string {
  let text = readFileSync(fileURLToPath(import.meta.resolve('web-streams-polyfill')), 'utf8');
  for (const [before, after, times] of CHANGES) {
    let found = 0;
    text = text.replaceAll(before, (match) => {
      found++;
      return typeof before === 'string' ? after : match.replace(new RegExp(before.source), after);
    });
    if (found !== times)
      throw new Error(`web-streams-polyfill has ${found} times, not ${times} times: ${String(before)}`);
  }
  const imports = `import{objectHasOwn,promiseReject,promiseResolve,promiseThen,reflectApply}from${JSON.stringify(shared)};`;
  return `data:text/javascript;base64,${Buffer.from(imports + text).toString('base64')}`;
}
