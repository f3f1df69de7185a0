/** `node:path` beyond what path-browserify has: Node's later additions, and `win32` by name. */
import { notAvailable } from './errors.ts';

type Path = Record<string, unknown>;

export function completePath(path: object): { posix: Path; win32: Path } {
  const posix = path as Path;
  const unavailable = Object.keys(posix)
    .filter((name) => typeof posix[name] === 'function')
    .map((name): [string, unknown] => [
      name,
      () => {
        throw notAvailable(`path.win32.${name}`);
      },
    ]);
  const win32: Path = { ...Object.fromEntries(unavailable), sep: '\\', delimiter: ';', posix };
  win32['win32'] = win32;
  const toNamespacedPath = (value: unknown): unknown => value;
  return {
    posix: Object.assign(posix, { posix, win32, toNamespacedPath, _makeLong: toNamespacedPath, matchesGlob }),
    win32,
  };
}

/** `*` and `?` within a segment, `**` across them, `[…]` and `{a,b}`. */
function matchesGlob(path: string, pattern: string): boolean {
  let source = '';
  let braces = 0;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    if (pattern.startsWith('**/', i)) {
      source += '(?:[^/]+/)*';
      i += 2;
    } else if (pattern.startsWith('**', i)) {
      source += '.*';
      i++;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '{') {
      source += '(?:';
      braces++;
    } else if (character === '}' && braces > 0) {
      source += ')';
      braces--;
    } else if (character === ',' && braces > 0) source += '|';
    else if (character === '[' && pattern.indexOf(']', i + 2) > 0) {
      const end = pattern.indexOf(']', i + 2);
      source += `[${pattern
        .slice(i + 1, end)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\')}]`;
      i = end;
    } else source += character.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  }
  return new RegExp(`^${source}${')'.repeat(braces)}$`).test(path);
}
