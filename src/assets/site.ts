import { type Field, HeaderRules } from './header-rules.ts';
import { type Intent, resolveFile } from './html-handling.ts';
import type { AssetConfig, AssetFile, AssetManifest } from './manifest.ts';
import { decodePath, encodePath, toPathname } from './path.ts';
import { Glob, MatchBudget } from './pattern.ts';
import { RedirectRules } from './redirect-rules.ts';

const CACHE_CONTROL = 'public, max-age=0, must-revalidate';
const KNOWN_PER_FILE = 2; // `/about` and `/about.html` may both be files

export interface SiteRequest {
  readonly method: string;
  /** `http` or `https`. */
  readonly scheme: string;
  readonly host: string;
  /** With the query, as it was sent. */
  readonly path: string;
  /** `Sec-Fetch-Mode: navigate`: a browser that goes to a page. */
  readonly isNavigation: boolean;
}

/** A file that answers a request; conditions and ranges are still to be looked at (respond.ts). */
export interface FileAnswer {
  readonly kind: 'file';
  readonly status: 200 | 404;
  readonly file: AssetFile;
  /** Without the length. */
  readonly fields: readonly Field[];
  /** The same for requests with credentials or a range, whose answers are not for everybody's cache. */
  readonly privateFields: readonly Field[];
  /** All headers of the whole file, name and value by turns. */
  readonly whole: readonly string[];
}

/** An answer without a file: a redirect, 404 or 405. */
export interface BareAnswer {
  readonly kind: 'bare';
  readonly status: number;
  readonly fields: readonly Field[];
}

export type SiteAnswer = FileAnswer | BareAnswer;

/** The files of a version and the rules by which they are served. Reads none of them. */
export class Site {
  readonly #config: AssetConfig;
  readonly #files: AssetManifest['files'];
  readonly #redirects: RedirectRules;
  readonly #headers: HeaderRules;
  readonly #workerFirst: readonly Glob[];
  readonly #filesFirst: readonly Glob[];
  /** Answers to paths that are files, by the path as it was sent: the usual request is one look-up. */
  readonly #known = new Map<string, FileAnswer>();
  readonly #maxKnown: number;

  constructor({ config, files }: AssetManifest) {
    this.#config = config;
    this.#files = files;
    this.#maxKnown = KNOWN_PER_FILE * Object.keys(files).length;
    this.#redirects = new RedirectRules(config.redirects);
    this.#headers = new HeaderRules(config.headers);
    const patterns = typeof config.workerFirst === 'object' ? config.workerFirst : undefined;
    this.#workerFirst = (patterns?.worker ?? []).map((text) => new Glob(text));
    this.#filesFirst = (patterns?.files ?? []).map((text) => new Glob(text));
  }

  /** What a visitor gets; undefined when the Worker is to be asked. */
  route(request: SiteRequest): SiteAnswer | undefined {
    const { workerFirst, navigationPrefersFiles } = this.#config;
    if (workerFirst === true) return undefined;
    if (workerFirst === false) {
      return this.#answer(request, navigationPrefersFiles && request.isNavigation);
    }
    const pathname = toPathname(pathOf(request.path));
    if (pathname === undefined) return undefined;
    const budget = new MatchBudget();
    const matches = (globs: readonly Glob[]): boolean => globs.some((glob) => glob.test(pathname, budget));
    if (matches(this.#filesFirst)) return this.fetch(request);
    return matches(this.#workerFirst) ? undefined : this.#answer(request, true);
  }

  /** What `env.ASSETS.fetch` gives, and visitors of a version without a Worker. */
  fetch(request: SiteRequest): SiteAnswer {
    return this.#answer(request, true) ?? this.#bare(404, [], request, new MatchBudget());
  }

  #answer(request: SiteRequest, withFallback: boolean): SiteAnswer | undefined {
    const { method, host } = request;
    const path = pathOf(request.path);
    const isRead = method === 'GET' || method === 'HEAD';
    const key = this.#headers.byHost ? `${host}${path}` : path;
    const known = this.#known.get(key);
    if (known !== undefined && isRead) return known;
    const pathname = toPathname(path);
    if (pathname === undefined || this.#stripBase(decodePath(pathname)) === undefined) return undefined;

    const budget = new MatchBudget();
    const target = this.#redirects.find(pathname, budget);
    const isRewritten = target?.status === 200;
    if (target !== undefined && !isRewritten) {
      const location = toLocation(target.to, request);
      if (location !== undefined) return this.#bare(target.status, [['location', location]], request, budget);
    }
    const served = isRewritten ? (URL.parse(target.to, 'http://host')?.pathname ?? pathname) : pathname;
    const decoded = decodePath(served);
    const intent = this.#resolve(decoded, { isRewritten, withFallback });
    if (intent === undefined) return isRewritten ? this.#bare(404, [], request, budget) : undefined;
    if (!isRead) return this.#bare(405, [['allow', 'GET, HEAD']], request, budget);
    const destination = encodePath('redirect' in intent ? this.#addBase(intent.redirect) : decoded);
    if ('redirect' in intent || destination !== served) {
      return this.#bare(307, [['location', `${destination}${queryOf(request.path)}`]], request, budget);
    }
    const answer = this.#toFileAnswer(intent, { host, pathname, budget });
    // Only spellings that are the file's own: there are not many of them, whatever is asked for.
    if (path === pathname && !intent.isFallback && !isRewritten && this.#known.size < this.#maxKnown) {
      this.#known.set(key, answer);
    }
    return answer;
  }

  #resolve(
    path: string,
    { isRewritten, withFallback }: { isRewritten: boolean; withFallback: boolean },
  ): Intent | undefined {
    const below = this.#stripBase(path);
    if (below === undefined) return undefined;
    const atBase = isRewritten ? undefined : this.#resolveBase(path);
    if (atBase !== undefined) return atBase;
    const { htmlHandling, notFoundHandling } = this.#config;
    return resolveFile(below, {
      htmlHandling,
      notFoundHandling: withFallback ? notFoundHandling : 'none',
      find: (name) => this.#find(name),
    });
  }

  /** The base itself gets its slash, or loses it. */
  #resolveBase(path: string): Intent | undefined {
    const { basePath, htmlHandling } = this.#config;
    if (basePath === '/' || htmlHandling === 'none') return undefined;
    const isDropped = htmlHandling === 'drop-trailing-slash';
    if (path !== (isDropped ? basePath : basePath.slice(0, -1)) || this.#find('/index.html') === undefined) {
      return undefined;
    }
    return { redirect: isDropped ? '' : '/' };
  }

  #stripBase(path: string): string | undefined {
    const { basePath } = this.#config;
    if (basePath === '/') return path;
    if (path === basePath.slice(0, -1)) return '/';
    return path.startsWith(basePath) ? path.slice(basePath.length - 1) : undefined;
  }

  #addBase(path: string): string {
    return this.#config.basePath === '/' ? path : this.#config.basePath.slice(0, -1) + path;
  }

  #find(path: string): AssetFile | undefined {
    if (!Object.hasOwn(this.#files, path)) return undefined;
    const [sha256, bytes, type] = this.#files[path]!;
    return { sha256, bytes, type };
  }

  #toFileAnswer(
    { file, status }: Extract<Intent, { file: AssetFile }>,
    at: { host: string; pathname: string; budget: MatchBudget },
  ): FileAnswer {
    const basics: Field[] = [
      ...(file.type === null ? [] : [['content-type', file.type] as const]),
      ['etag', `"${file.sha256}"`],
      ['accept-ranges', 'bytes'],
    ];
    const fields = this.#headers.apply([...basics, ['cache-control', CACHE_CONTROL]], at);
    return {
      kind: 'file',
      status,
      file,
      fields,
      privateFields: this.#headers.apply(basics, at),
      whole: [...fields.flat(), 'content-length', String(file.bytes)],
    };
  }

  #bare(status: number, fields: readonly Field[], { host, path }: SiteRequest, budget: MatchBudget): BareAnswer {
    const pathname = toPathname(pathOf(path)) ?? '/';
    return { kind: 'bare', status, fields: this.#headers.apply(fields, { host, pathname, budget }) };
  }
}

/** Within the site as a path, otherwise as a URL. The query goes along unless the target has its own. */
function toLocation(to: string, { scheme, host, path }: SiteRequest): string | undefined {
  const origin = URL.parse(`${scheme}://${host}`)?.origin;
  const target = origin === undefined ? null : URL.parse(to, origin);
  if (target === null) return undefined;
  const rest = `${target.search || queryOf(path)}${target.hash}`;
  target.search = '';
  target.hash = '';
  // A path that begins with two slashes would be another host.
  const isOwn = target.origin === origin && !target.pathname.startsWith('//');
  return `${isOwn ? target.pathname : target.href}${rest}`;
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  return path.includes('#') ? path.slice(0, path.indexOf('#')) : path;
}

/** With its question mark. */
function queryOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? '' : target.slice(query).replace(/#.*$/s, '');
}
