/**
 * KV in the control API: namespaces, and what is in them, as `wrangler kv` and programs ask.
 * Called by control.ts. Rules of keys and values are kv/'s, as for Workers.
 * Start at entries.ts.
 */
export { registerKvEntries } from './entries.ts';
export { registerKvNamespaces } from './namespaces.ts';
