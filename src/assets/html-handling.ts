/** From the path of a request to a file, by what `html_handling` and `not_found_handling` say. */
import type { AssetFile, HtmlHandling, NotFoundHandling } from './manifest.ts';

const MAX_SEARCHED_CHARS = 1_024; // of a path, for the nearest 404.html: longer than that of any file

export interface FileRules {
  readonly htmlHandling: HtmlHandling;
  readonly notFoundHandling: NotFoundHandling;
  readonly find: (path: string) => AssetFile | undefined;
}

export type Intent =
  | { readonly file: AssetFile; readonly status: 200 | 404; readonly isFallback: boolean }
  /** To another path, which has the file. */
  | { readonly redirect: string };

/** A file to look for. With a destination, who asked is sent there if that leads to the same file. */
type Attempt = readonly [file: string, destination?: string];

export function resolveFile(path: string, rules: FileRules): Intent | undefined {
  return resolve(path, rules, true);
}

function resolve(path: string, rules: FileRules, mayRedirect: boolean): Intent | undefined {
  for (const [name, destination] of ATTEMPTS[rules.htmlHandling](path)) {
    if (destination !== undefined && !mayRedirect) continue;
    const file = rules.find(name);
    if (file === undefined) continue;
    if (destination === undefined) return { file, status: 200, isFallback: false };
    if (rules.find(destination) !== undefined) continue;
    const there = resolve(destination, rules, false);
    if (there !== undefined && 'file' in there && there.file.sha256 === file.sha256) return { redirect: destination };
  }
  return resolveMissing(path, rules);
}

const ATTEMPTS: Readonly<Record<HtmlHandling, (path: string) => readonly Attempt[]>> = {
  'auto-trailing-slash': (path) => {
    const rest: Attempt[] = [[path], [`${path}.html`], [`${path}/index.html`, `${path}/`]];
    if (path.endsWith('/index')) {
      const folder = path.slice(0, -6);
      return [[path], [`${path}.html`, `${folder}/`], [`${folder}.html`, folder], ...rest];
    }
    if (path.endsWith('/index.html')) {
      const folder = path.slice(0, -11);
      return [[path, `${folder}/`], [`${folder}.html`, folder], ...rest];
    }
    if (path.endsWith('/')) return [[`${path}index.html`], [`${path.slice(0, -1)}.html`, path.slice(0, -1)], ...rest];
    if (!path.endsWith('.html')) return rest;
    const name = path.slice(0, -5);
    return [[path, name], [`${name}/index.html`, `${name}/`], ...rest];
  },
  'force-trailing-slash': (path) => {
    const rest: Attempt[] = [[path], [`${path}.html`, `${path}/`], [`${path}/index.html`, `${path}/`]];
    if (path.endsWith('/index')) {
      const folder = path.slice(0, -6);
      return [[path], [`${path}.html`, `${folder}/`], [`${folder}.html`, `${folder}/`], ...rest];
    }
    if (path.endsWith('/index.html')) {
      const folder = path.slice(0, -11);
      return [[path, `${folder}/`], [`${folder}.html`, `${folder}/`], ...rest];
    }
    if (path.endsWith('/')) return [[`${path}index.html`], [`${path.slice(0, -1)}.html`], ...rest];
    if (!path.endsWith('.html')) return rest;
    const name = path.slice(0, -5);
    return [[path, `${name}/`], [path], [`${name}/index.html`, `${name}/`], ...rest];
  },
  'drop-trailing-slash': (path) => {
    const rest: Attempt[] = [[path], [`${path}.html`], [`${path}/index.html`]];
    if (path === '/') return [['/index.html'], ...rest];
    if (path === '/index') return [[path], ['/index.html', '/'], ...rest];
    if (path === '/index.html') return [['/index.html', '/'], ...rest];
    if (path.endsWith('/index')) {
      const folder = path.slice(0, -6);
      return [[path], [`${folder}.html`, folder], [`${path}.html`, folder], ...rest];
    }
    if (path.endsWith('/index.html')) {
      const folder = path.slice(0, -11);
      return [[path, folder], [path], [`${folder}.html`, folder], ...rest];
    }
    if (path.endsWith('/')) {
      const name = path.slice(0, -1);
      return [[`${name}.html`, name], [`${name}/index.html`, name], ...rest];
    }
    if (!path.endsWith('.html')) return rest;
    const name = path.slice(0, -5);
    return [[path, name], [`${name}/index.html`, name], ...rest];
  },
  none: (path) => [[path]],
};

function resolveMissing(path: string, { notFoundHandling, find }: FileRules): Intent | undefined {
  if (notFoundHandling === 'none') return undefined;
  if (notFoundHandling === 'single-page-application') {
    const file = find('/index.html');
    return file && { file, status: 200, isFallback: true };
  }
  let folder = path.slice(0, MAX_SEARCHED_CHARS);
  while (folder !== '') {
    folder = folder.slice(0, folder.lastIndexOf('/'));
    const file = find(`${folder}/404.html`);
    if (file !== undefined) return { file, status: 404, isFallback: true };
  }
  return undefined;
}
