/** `URLPattern`: the URL Pattern standard, by its polyfill, over our own `URL`. */
import { URLPattern } from 'urlpattern-polyfill/urlpattern';
import { defineInterface } from '../core.ts';

defineInterface(URLPattern, 'URLPattern', { constructor: 0, exec: 0, test: 0 });

export { URLPattern };
