/** Whether a reverse proxy may get a certificate for a host: Caddy's on-demand TLS asks before each one. */
import { z } from 'zod';
import { isWithin, parseHostname } from '../hostnames/index.ts';
import type { AccountId, WorkerName } from '../ids.ts';
import type { ControlApp, ControlContext } from './context.ts';

const MAX_NAME_CHARS = 2_048;
const MAX_LABEL_CHARS = 63; // RFC 1035 §2.3.4; each dash of a label is one more look-up, and nobody has to sign in here

/** 200 for hosts that lead to a Worker, 404 for the rest. Needs no token, and says nothing else. */
export function registerTlsAsk(app: ControlApp, context: ControlContext): void {
  app.get(
    '/tls/ask',
    {
      schema: {
        summary: 'Whether a host is served: for on-demand certificates of a reverse proxy',
        tags: ['Routing'],
        querystring: z.looseObject({ domain: z.string().max(MAX_NAME_CHARS) }),
      },
    },
    async ({ query }, reply) => {
      const isServed = await serves(context, query.domain);
      return reply
        .code(isServed ? 200 : 404)
        .type('text/plain')
        .send(isServed ? 'yes\n' : 'no\n');
    },
  );
}

async function serves(context: ControlContext, domain: string): Promise<boolean> {
  const { hostnames, baseDomain } = context;
  const lower = domain.toLowerCase().replace(/\.$/, '');
  const isOurs = lower.endsWith(`.${baseDomain}`);
  if (isOurs && (await isDefault(context, lower.slice(0, -baseDomain.length - 1)))) return true;
  let name: string;
  try {
    name = parseHostname(domain);
  } catch {
    return false;
  }
  const found = await hostnames.serving(name);
  // Below the base domain a wildcard would let one account spend the certificates of all.
  return found === 'named' || (found === 'wildcard' && !isWithin(name, baseDomain));
}

/** `rest`: `<worker>.<account>`, or a preview of it. */
async function isDefault({ registry, previews }: ControlContext, rest: string): Promise<boolean> {
  const [label = '', account = '', ...more] = rest.split('.');
  if (label === '' || label.length > MAX_LABEL_CHARS || account === '' || more.length > 0) return false;
  const route = (worker: string) => registry.route(account as AccountId, worker as WorkerName);
  const own = await route(label);
  if (own !== undefined && own.route.hidden !== true) return true;
  for (let at = label.indexOf('-', 1); at !== -1; at = label.indexOf('-', at + 1)) {
    const worker = label.slice(at + 1);
    if ((await route(worker))?.route.previews !== true) continue; // oxlint-disable-line no-await-in-loop
    // oxlint-disable-next-line no-await-in-loop -- few Workers' names end alike
    const { versions, aliases } = await previews.list(account as AccountId, worker as WorkerName);
    const name = label.slice(0, at);
    if (versions.some((id) => id.slice(0, 8) === name) || aliases.some(([alias]) => alias === name)) return true;
  }
  return false;
}
