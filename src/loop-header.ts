/**
 * `CDN-Loop` (RFC 8586): each request that a Worker sends to the network says how many Workers of this kind of platform
 * lie before it, so that a Worker which fetches itself by way of the internet comes to an end. Whoever forges it only
 * shortens the way of a request of his own.
 */
import { MAX_LOOP_HOPS } from './limits.ts';

export const LOOP_HEADER = 'cdn-loop';
const OWN_ID = 'isola';

/** How often this platform is named in a header's value. */
export function countHops(value: string | undefined): number {
  if (value === undefined) return 0;
  let hops = 0;
  for (const info of value.split(',', MAX_LOOP_HOPS * 8)) {
    const [id = ''] = info.split(';', 1);
    if (id.trim().toLowerCase() === OWN_ID) hops++;
  }
  return hops;
}

/** The value that says so. */
export function toLoopValue(hops: number): string {
  return Array.from({ length: hops }, () => OWN_ID).join(', ');
}
