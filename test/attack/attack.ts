/** What an attack is: a Worker's code, how it is set off, and what must come of it. */

/**
 * What must come of an attack, besides the platform and its neighbours going on:
 * - `stop`: it never ends by itself, so it must not get as far as an answer.
 * - `refuse`: what it tries must throw. An answer that begins with `refused` says so.
 * - `survive`: whatever it answers.
 */
type Must = 'stop' | 'refuse' | 'survive';

/**
 * How it is set off:
 * - `request`: by one GET.
 * - `burst`: by 40 at once.
 * - `upload`: by its own upload; the code is the whole module.
 * - `scheduled`: by a scheduled event.
 * - `web-socket`: by a client that opens a WebSocket and sends 100 messages.
 * - `no-reader`: by a GET whose answer the client does not read.
 * - `body`: by a POST of 4 MiB.
 */
type Trigger = 'request' | 'burst' | 'upload' | 'scheduled' | 'web-socket' | 'no-reader' | 'body';

export interface AttackOptions {
  readonly trigger?: Trigger;
  /** In front of the handlers, at the module's top level. */
  readonly top?: string;
  readonly bindings?: readonly object[];
  /** Besides `fetch`: members of the default export. */
  readonly handlers?: string;
}

export interface Attack {
  /** `family/name`. */
  readonly name: string;
  readonly must: Must;
  readonly trigger: Trigger;
  /** The whole module. */
  readonly code: string;
  readonly bindings: readonly object[];
}

/** An attack as the files of attacks/ have it: the family is the file's. */
export type FamilyMember = Omit<Attack, 'name'> & { readonly name: string };

/** The Worker's path for requests that do no harm: a few of them bring it onto its cell's own thread. */
export const WARM_PATH = '/warm';

/** `code` is the body of an async `fetch(request, env, ctx)`, and never ends. */
export function stop(name: string, code: string, options: AttackOptions = {}): FamilyMember {
  return toMember('stop', name, code, options);
}

/** `code` is the body of an async function, which must throw. */
export function refuse(name: string, code: string, options: AttackOptions = {}): FamilyMember {
  const body = `
    try { return new Response('got ' + String(await (async () => { ${code} })())); }
    catch (error) { return new Response('refused: ' + error); }`;
  return toMember('refuse', name, body, options);
}

/** `code` is the body of an async `fetch(request, env, ctx)`, and may do what it likes. */
export function survive(name: string, code: string, options: AttackOptions = {}): FamilyMember {
  return toMember('survive', name, code, options);
}

export function toFamily(family: string, members: readonly FamilyMember[]): Attack[] {
  return members.map((member) => ({ ...member, name: `${family}/${member.name}` }));
}

function toMember(
  must: Must,
  name: string,
  code: string,
  { trigger = 'request', top = '', bindings = [], handlers = '' }: AttackOptions,
): FamilyMember {
  const module =
    trigger === 'upload'
      ? code
      : `${top}
export default {
  async fetch(request, env, ctx) {
    if (request.url.endsWith('${WARM_PATH}')) return new Response('warm');
    ${code}
  },
  ${handlers}
};`;
  return { name, must, trigger, code: module, bindings };
}
