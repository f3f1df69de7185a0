/** The events that carry something: their code is a part of the runtime, which is loaded when something first makes one. */
import type * as part from '../parts/events.ts';
import { loadPart } from '../runtime/parts.ts';
import type { Event } from './event.ts';

let ErrorEvent: typeof part.ErrorEvent | undefined;

/** Called by the part when it has been loaded. */
export function setEventKinds(kinds: Pick<typeof part, 'ErrorEvent'>): void {
  ({ ErrorEvent } = kinds);
}

export function eventKinds(): typeof part {
  return loadPart('events') as unknown as typeof part;
}

export function isErrorEvent(event: Event): event is part.ErrorEvent {
  return ErrorEvent !== undefined && event instanceof ErrorEvent;
}
