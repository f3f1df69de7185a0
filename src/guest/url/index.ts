/**
 * URLs: `URL`, `URLSearchParams`, and the form encoding.
 * Called by fetch/ and by tenants. Knows nothing of the host but `setDomainToAscii` (UTS 46 for international names).
 * Promise: as the URL standard; parsing takes time linear in the length of its input.
 * Start at parse.ts; scan.ts is the way most URLs take.
 */
export { setDomainToAscii } from './host.ts';
export { percentDecodeBytes } from './percent.ts';
export { baseHref, setBaseUrl } from './relative.ts';
export { parseHref, URL } from './url.ts';
export { URLSearchParams } from './url-search-params.ts';
