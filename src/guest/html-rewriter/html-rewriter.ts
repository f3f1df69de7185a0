import {
  arrayPush,
  arraySlice,
  defineInterface,
  requireArguments,
  type Response,
  responseState,
  responseWithBody,
  toDOMString,
} from '../core.ts';
import { acquireMachine, releaseMachine } from './machine.ts';
import { createRewritingStream, type Registration } from './rewriting-stream.ts';

const ELEMENT_HANDLERS = ['element', 'comments', 'text'] as const;
const DOCUMENT_HANDLERS = ['doctype', 'comments', 'text', 'end'] as const;

export class HTMLRewriter {
  readonly #registrations: Registration[] = [];

  /** Throws a TypeError for a selector that is not supported. */
  on(selector: string, handlers: object): this {
    requireArguments(arguments.length, 2, "Failed to execute 'on' on 'HTMLRewriter'");
    const text = toDOMString(selector);
    const registration = toRegistration(text, handlers, ELEMENT_HANDLERS);
    checkSelector(text);
    arrayPush(this.#registrations, registration);
    return this;
  }

  onDocument(handlers: object): this {
    requireArguments(arguments.length, 1, "Failed to execute 'onDocument' on 'HTMLRewriter'");
    arrayPush(this.#registrations, toRegistration(undefined, handlers, DOCUMENT_HANDLERS));
    return this;
  }

  /** A response whose body is rewritten as it is read. The given one is used up. */
  transform(response: Response): Response {
    requireArguments(arguments.length, 1, "Failed to execute 'transform' on 'HTMLRewriter'");
    const state = responseState(response);
    if (state === undefined) {
      throw new TypeError("Failed to execute 'transform' on 'HTMLRewriter': parameter 1 is not of type 'Response'");
    }
    if (state.source === null) return response;
    return responseWithBody(state, createRewritingStream(state, arraySlice(this.#registrations)));
  }
}
defineInterface(HTMLRewriter, 'HTMLRewriter');

/** Reads the handlers once; they are called on the object that they came with. */
function toRegistration(
  selector: string | undefined,
  handlers: object,
  names: readonly (typeof ELEMENT_HANDLERS | typeof DOCUMENT_HANDLERS)[number][],
): Registration {
  if (typeof handlers !== 'object' && typeof handlers !== 'function') {
    throw new TypeError('The handlers of an HTMLRewriter must be an object');
  }
  if (handlers === null) throw new TypeError('The handlers of an HTMLRewriter must be an object');
  const registration: Registration = { selector, receiver: handlers, handlers: {} };
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const handler = (handlers as Record<string, unknown>)[name];
    if (handler === undefined || handler === null) continue;
    if (typeof handler !== 'function')
      throw new TypeError(`The handler "${name}" of an HTMLRewriter must be a function`);
    registration.handlers[name] = handler as (token: object) => unknown;
  }
  return registration;
}

function checkSelector(selector: string): void {
  const machine = acquireMachine();
  const rewriter = machine.newRewriter(() => {});
  try {
    machine.on(rewriter, selector, {});
  } finally {
    machine.freeRewriter(rewriter);
    releaseMachine(machine);
  }
}
