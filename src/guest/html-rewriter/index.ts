/**
 * HTMLRewriter: a streaming rewriter of HTML with CSS selectors, as Workers have it.
 * A lazily loaded part; called by tenants. It knows of the host only that it has the WebAssembly binary.
 * Promise: a body streams through with backpressure; a handler that throws fails the body and nothing else; a token
 * that is kept beyond its handler throws.
 * Start at html-rewriter.ts; machine.ts is the glue to WebAssembly.
 */
export { HTMLRewriter } from './html-rewriter.ts';
