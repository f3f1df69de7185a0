/** service-workers/cache-storage/resources. */
import type { Handler } from './handler.ts';

const fetchStatus: Handler = (request) => ({ status: Number(request.query('status') ?? 200), body: '' });

/** Without the cookie that overrides the value: nothing here keeps cookies. */
const vary: Handler = (request) => {
  const value = request.query('vary') ?? '';
  return { headers: value === '' ? [] : [['vary', value]], body: 'vary response' };
};

/** What the page of a test is at: some put it into a cache. */
const page: Handler = () => ({ body: '' });

export const CACHE_HANDLERS: Readonly<Record<string, Handler>> = {
  '/service-workers/cache-storage/cache-add.https.any.worker.js': page,
  '/service-workers/cache-storage/resources/fetch-status.py': fetchStatus,
  '/service-workers/cache-storage/resources/vary.py': vary,
};
