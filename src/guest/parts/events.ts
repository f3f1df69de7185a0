/** The events that carry something. */
import { CloseEvent, CustomEvent, ErrorEvent, MessageEvent, PromiseRejectionEvent } from '../events/event-kinds.ts';
import { setEventKinds } from '../shared.ts';

export { CloseEvent, CustomEvent, ErrorEvent, MessageEvent, PromiseRejectionEvent };

setEventKinds({ ErrorEvent });
