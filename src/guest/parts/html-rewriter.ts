/** `HTMLRewriter`: lol-html in WebAssembly. */
export { HTMLRewriter } from '../html-rewriter/index.ts';
