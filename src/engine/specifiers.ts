/** How a specifier and the module that uses it name another module of the upload. */

/** What `import.meta.url` begins with: the upload as a folder. */
const BASE_URL = 'file:///bundle/';

/** What `require` tries beside the name as it is. */
const COMMON_JS_ENDINGS = ['.js', '.cjs', '.json', '/index.js', '/index.cjs'];

/** `./lib/../a.js` and `a.js` are the same module. */
export function canonicalName(name: string): string {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

/**
 * Canonical names to look for, in this order: relative to the importing module, as paths; then as it stands, since a
 * module may be uploaded under exactly the name it is imported by.
 */
export function candidateNames(specifier: string, referrer: string): string[] {
  const names: string[] = [];
  if (specifier.startsWith(BASE_URL)) names.push(canonicalName(decodePath(specifier.slice(BASE_URL.length))));
  else if (/^\.{0,2}\//.test(specifier)) {
    names.push(canonicalName(`${referrer.slice(0, referrer.lastIndexOf('/') + 1)}${specifier}`));
  }
  names.push(canonicalName(specifier));
  return names;
}

export function withCommonJsEndings(names: readonly string[]): string[] {
  return names.flatMap((name) => [name, ...COMMON_JS_ENDINGS.map((ending) => name + ending)]);
}

/** Of a URL made with `new URL('./x', import.meta.url)`. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path.replace(/[?#].*$/s, ''));
  } catch {
    return path;
  }
}
