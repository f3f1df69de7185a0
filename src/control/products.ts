/** Products of the Workers platform that isola does not have yet: refused by name, never half accepted. */
import { PlatformError } from '../errors.ts';
import type { ControlApp } from './context.ts';
import { ok } from './envelope.ts';

/** By the type of the binding that asks for it. */
export const BINDING_PRODUCTS: ReadonlyMap<string, string> = new Map([
  ['ai', 'Workers AI'],
  ['ai_search', 'AI Search'],
  ['ai_search_namespace', 'AI Search'],
  ['analytics_engine', 'Analytics Engine'],
  ['browser', 'Browser Rendering'],
  ['d1', 'D1'],
  ['dispatch_namespace', 'Workers for Platforms (dispatch namespaces)'],
  ['durable_object_namespace', 'Durable Objects'],
  ['hyperdrive', 'Hyperdrive'],
  ['images', 'Images'],
  ['logfwdr', 'logfwdr'],
  ['media', 'Media Transformations'],
  ['mtls_certificate', 'mTLS certificates'],
  ['pipelines', 'Pipelines'],
  ['queue', 'Queues'],
  ['r2_bucket', 'R2'],
  ['ratelimit', 'rate limiting'],
  ['secret_key', 'secret_key bindings (WebCrypto keys)'],
  ['secrets_store_secret', 'Secrets Store'],
  ['send_email', 'Email'],
  ['unsafe_hello_world', 'hello-world bindings'],
  ['vectorize', 'Vectorize'],
  ['vpc_service', 'VPC services'],
  ['worker_loader', 'dynamic Worker loading'],
  ['workflow', 'Workflows'],
]);

const ACCOUNT_PRODUCTS = {
  r2: 'R2',
  d1: 'D1',
  queues: 'Queues',
  workflows: 'Workflows',
  vectorize: 'Vectorize',
  hyperdrive: 'Hyperdrive',
  ai: 'Workers AI',
  containers: 'Containers',
  pipelines: 'Pipelines',
  secrets_store: 'Secrets Store',
  'agent-memory': 'Agent Memory',
  'ai-gateway': 'AI Gateway',
  'ai-search': 'AI Search',
  artifacts: 'Artifacts',
  'browser-rendering': 'Browser Rendering',
  cfd_tunnel: 'Tunnels',
  challenges: 'Turnstile',
  connectivity: 'VPC services',
  email: 'Email',
  flagship: 'Flagship',
  images: 'Images',
  k2: 'K2',
  mtls_certificates: 'mTLS certificates',
  pages: 'Pages',
  stream: 'Stream',
  'workers/dispatch': 'Workers for Platforms (dispatch namespaces)',
} as const;

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export function notAvailable(product: string, where?: string): PlatformError {
  const subject = where === undefined ? 'This platform' : `${where}: this platform`;
  return new PlatformError('notAvailable', `${subject} has no ${product} yet`);
}

/**
 * Refuses everything under the products' paths, but for the lists that wrangler reads on its way (deleting a Worker,
 * deploying one with variables): those are empty.
 */
export function registerProducts(app: ControlApp): void {
  // What is not there needs no scope; and it is no part of the API's document.
  const options = { config: { scope: 'none' }, schema: { hide: true } } as const;
  const emptyLists = [
    '/accounts/:account/workers/durable_objects/namespaces',
    '/accounts/:account/workers/tails/by-consumer/:name',
  ];
  for (const path of emptyLists) app.get(path, options, () => ok([]));

  for (const [path, product] of Object.entries(ACCOUNT_PRODUCTS)) {
    const prefix = `/accounts/:account/${path}`;
    const handler = (): never => {
      throw notAvailable(product);
    };
    for (const url of [prefix, `${prefix}/*`]) {
      for (const method of METHODS) {
        if (!app.hasRoute({ url: `${app.prefix}${url}`, method })) app.route({ ...options, method, url, handler });
      }
    }
  }
}
